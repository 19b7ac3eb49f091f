"""Flask-Mail's part: its settings, and what its listeners are told of mails."""

import re
import socket
import threading

import pytest

from tests.processes import ROOT
from webapp.mail import Attachment, MailError, OutgoingMail, SmtpSession
from webapp.mail.extension import flask_mail_extension

FILE, LOGO = Attachment("a.csv", "text/csv", b"a"), Attachment("logo", "image/png", b"png")
CONTENT = OutgoingMail("Grüße", "text", "<p>text</p>", [FILE], [LOGO], reply_to="ann@example.com")


@pytest.mark.parametrize("is_kept_back", [False, True])
def test_flask_mail_is_told_of_each_mail_and_can_keep_them_to_itself(app, mailserver, is_kept_back):
    app.extensions["mail"].suppress = is_kept_back
    with app.app_context(), flask_mail_extension.record_messages() as recorded, SmtpSession() as session:
        for number in range(2):
            session.send(CONTENT, f"p{number}@example.com", f"mail-{number}")
    assert [message.recipients for message in recorded] == [["p0@example.com"], ["p1@example.com"]]
    message = recorded[0]
    assert (message.subject, message.body, message.html) == ("Grüße", "text", "<p>text</p>")
    assert (message.sender, message.reply_to, message.msgId) == (
        "errand@localhost",
        "ann@example.com",
        "<mail-0@localhost>",
    )
    assert [file.filename for file in message.attachments] == ["a.csv", "logo"]
    with app.app_context():
        assert str(message).count("Message-ID: <mail-0@localhost>") == 1
        assert "Auto-Submitted: auto-generated" in str(message)
    assert len(mailserver.mails) == mailserver.connections * 2 == (0 if is_kept_back else 2)


def test_a_mail_that_was_refused_is_announced_to_nobody(app, mailserver):
    mailserver.refused.add("ann@example.com")
    refused = pytest.raises(MailError, match="refused the address")
    with app.app_context(), flask_mail_extension.record_messages() as recorded, SmtpSession() as session, refused:
        session.send(CONTENT, "ann@example.com", "mail-1")
    assert recorded == []


def test_sending_a_mail_asks_the_name_service_nothing_about_this_machine(app, mailserver, monkeypatch):
    """Where it does not answer, each mail would take as long as that, whatever its deadline."""
    asked, getfqdn, us = [], socket.getfqdn, threading.current_thread()  # in another thread is the mail server
    monkeypatch.setattr(
        socket, "getfqdn", lambda *given: asked.append(threading.current_thread() is us) or getfqdn(*given)
    )
    with app.app_context(), SmtpSession() as session:
        session.send(CONTENT, "ann@example.com", "mail-1")
    assert len(mailserver.mails) == 1
    assert True not in asked


def test_nothing_but_the_mail_package_goes_to_flask_mail_and_nothing_overrides_it():
    sources = {path: path.read_text() for folder in ("webapp", "tasks") for path in (ROOT / folder).rglob("*.py")}
    users = {path for path, text in sources.items() if re.search(r"^\s*(from|import) flask_mail", text, re.MULTILINE)}
    assert {path.parent for path in users} == {ROOT / "webapp" / "mail"}
    assert not any(re.search(r"class \w+\((flask_mail\.)?(Mail|Message|Connection)\)", sources[path]) for path in users)
