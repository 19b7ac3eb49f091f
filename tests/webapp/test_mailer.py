"""The mailer against a real SMTP server, on its good days and its bad ones."""

import socket
import time

import pytest
from jinja2 import DictLoader

from tests.mailserver import SELF_SIGNED, MailServer, sign_in_with, tls
from tests.network import Network
from tests.processes import free_port
from tests.tarpit import Tarpit, Trouble
from webapp import mailer
from webapp.mailer import Attachment, MailError


@pytest.fixture
def send(make_app):
    """A function that sends a small mail; keywords in capitals change the site's mail settings."""

    def send(server: MailServer | None = None, recipient="ann@example.com", subject="Hello", **given):
        settings = {name.lower(): given.pop(name) for name in list(given) if name.isupper()}
        if server:
            settings = {"mail_server": "127.0.0.1", "mail_port": server.port} | settings
        app = make_app(**settings)
        templates = {"email/hello.txt": "Hello {{ name }}", "email/hello.html": "<p>Hello {{ name }}</p>"}
        app.jinja_env.loader = DictLoader(templates)
        with app.app_context():
            return mailer.send(recipient, subject, "hello", message_id="task-1", name="<Ann>", **given)

    return send


def test_a_mail_has_a_text_and_an_html_alternative(send, mailserver):
    assert send(mailserver) is True
    [mail] = mailserver.mails
    assert mail.get_body(("plain",)).get_content().strip() == "Hello <Ann>"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Hello &lt;Ann&gt;</p>"
    assert mail.get_body(("html",)).get_content_type() == "text/html"
    assert (mail["Subject"], mail["To"], mail["From"]) == ("Hello", "ann@example.com", "Errand <errand@localhost>")
    assert mail["Date"]


def test_a_mail_goes_to_one_person(send, mailserver):
    send(mailserver)
    assert mailserver.recipients == [["ann@example.com"]]


def test_a_mail_sent_again_has_the_same_message_id(send, mailserver):
    for _ in range(2):
        send(mailserver, MAIL_DEFAULT_SENDER="Errand <hello@errand.example>")
    assert [mail["Message-ID"] for mail in mailserver.mails] == ["<task-1@errand.example>"] * 2


@pytest.mark.parametrize(
    "name",
    ["posts.json", "Übersicht 👋.csv", 'a"b;c.txt', "名前.json", "x" * 180 + ".bin", "with space.txt", "50%.txt"],
)
def test_an_attachment_arrives_as_it_was_sent(send, mailserver, name):
    data = bytes(range(256)) * 300
    send(mailserver, attachments=[Attachment(name, "application/octet-stream", data)])
    [part] = mailserver.mails[0].iter_attachments()
    assert (part.get_filename(), part.get_payload(decode=True)) == (name, data)


def test_a_subject_in_any_language_arrives(send, mailserver):
    send(mailserver, subject="Grüße — 名前 👋")
    assert mailserver.mails[0]["Subject"] == "Grüße — 名前 👋"


@pytest.mark.parametrize(
    "subject", ["Hello\nBcc: eve@example.com", "Hello\r\nBcc: eve@example.com", "Hello\r\n\r\nBody"]
)
def test_a_subject_can_not_add_headers(send, mailserver, subject):
    with pytest.raises(MailError):
        send(mailserver, subject=subject)
    assert mailserver.mails == []


@pytest.mark.parametrize(
    "recipient", ["ann@example.com\r\nBcc: eve@example.com", "ann@example.com\nRCPT TO:<eve@example.com>"]
)
def test_an_address_can_not_add_recipients(send, mailserver, recipient):
    with pytest.raises(MailError):
        send(mailserver, recipient)
    assert mailserver.recipients == []


def test_without_a_mail_server_nothing_is_sent_and_that_is_told(send):
    assert send(MAIL_SERVER=None) is False


# Bad days


def test_a_refused_recipient_is_named(send, mailserver):
    mailserver.refused.add("ann@example.com")
    with pytest.raises(MailError, match=r"refused the address ann@example\.com"):
        send(mailserver)


def test_a_refused_mail_is_told_with_its_code(send, mailserver):
    mailserver.answer_to_data = "552 Too large"
    with pytest.raises(MailError, match=r"refused it \(code 552\)"):
        send(mailserver)


def test_a_server_that_is_away_is_told(send):
    with pytest.raises(MailError, match="could not be reached"):
        send(MAIL_SERVER="127.0.0.1", MAIL_PORT=free_port())


def test_a_server_whose_name_is_unknown_is_told(send):
    with pytest.raises(MailError, match="could not be reached"):
        send(MAIL_SERVER="mail.invalid")


def test_a_server_that_says_nothing_is_left_in_time(send, monkeypatch):
    monkeypatch.setattr(mailer, "TIMEOUT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailError, match="did not answer in time"):
        send(MAIL_SERVER="127.0.0.1", MAIL_PORT=silent.getsockname()[1])


def test_a_server_that_falls_silent_in_the_middle_is_left_in_time(send, mailserver, monkeypatch):
    monkeypatch.setattr(mailer, "TIMEOUT", 1.0)
    mailserver.is_silent = True
    with pytest.raises(MailError, match="did not answer in time"):
        send(mailserver)


def test_a_refusal_stands_also_where_the_server_falls_silent_after_it(send, mailserver, monkeypatch):
    monkeypatch.setattr(mailer, "TIMEOUT", 1.0)
    mailserver.refused.add("ann@example.com")
    mailserver.is_silent_after_refusal = True
    with pytest.raises(MailError, match="refused the address") as refused:
        send(mailserver)
    assert not refused.value.may_pass


def test_a_server_that_takes_a_large_mail_byte_by_byte_is_left_in_time(send, monkeypatch):
    monkeypatch.setattr(mailer, "TIMEOUT", 1.0)
    large = Attachment("large.bin", "application/octet-stream", bytes(10 * 1024 * 1024))
    with Tarpit(port := free_port(), Trouble("BODY")).running() as tarpit:
        begun = time.monotonic()
        with pytest.raises(MailError, match="did not answer in time"):
            send(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, attachments=[large])
        assert time.monotonic() - begun < 10
    assert tarpit.messages == []


def test_a_server_that_says_it_has_the_mail_and_then_drips_has_it(send, monkeypatch):
    monkeypatch.setattr(mailer, "TIMEOUT", 1.0)
    with Tarpit(port := free_port(), Trouble("MESSAGE", "drip")).running() as tarpit:
        assert send(MAIL_SERVER="127.0.0.1", MAIL_PORT=port)
    assert len(tarpit.messages) == 1


def test_a_line_that_was_dropped_for_good_is_opened_anew_in_time(send, monkeypatch, make_app):
    """A router has forgotten the connection: what is sent on it vanishes, and nobody is told."""
    monkeypatch.setattr(mailer, "TIMEOUT", 2.0)
    server = MailServer()
    with server.running(), Network(server.port) as network:
        app = make_app(mail_server="127.0.0.1", mail_port=network.port)
        letter = mailer.Letter("Hello", "Hello", "<p>Hello</p>")
        with app.app_context(), mailer.Line() as line:
            line.send(letter, "ann@example.com", "1")
            network.swallow()
            network.heal()
            line.send(letter, "bob@example.com", "2")
    assert server.recipients == [["ann@example.com"], ["bob@example.com"]]


def test_a_sign_in_is_made_and_a_refused_one_is_told(send):
    with MailServer().running(authenticator=sign_in_with("errand", "right"), auth_require_tls=False) as server:
        assert send(server, MAIL_USERNAME="errand", MAIL_PASSWORD="right")
        with pytest.raises(MailError, match="refused our sign-in"):
            send(server, MAIL_USERNAME="errand", MAIL_PASSWORD="wrong")
    assert len(server.mails) == 1


@pytest.mark.parametrize("way", ["tls", "ssl"])
def test_a_certificate_that_nobody_vouches_for_is_refused(send, way):
    options = {"tls_context": tls(), "require_starttls": True} if way == "tls" else {"ssl_context": tls()}
    refused = pytest.raises(MailError, match="certificate could not be verified")
    with MailServer().running(**options) as server, refused:
        send(server, **{f"MAIL_USE_{way.upper()}": True})
    assert server.mails == []


def test_a_certificate_that_is_vouched_for_is_accepted(send, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))
    with MailServer().running(tls_context=tls(), require_starttls=True) as server:
        assert send(server, MAIL_USE_TLS=True)
    assert len(server.mails) == 1


def test_a_server_that_can_not_encrypt_gets_nothing_when_it_must(send, mailserver):
    with pytest.raises(MailError):
        send(mailserver, MAIL_USE_TLS=True)
    assert mailserver.mails == []
