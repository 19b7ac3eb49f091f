"""The mailer against a real SMTP server, on its good days and its bad ones."""

import re
import socket
import time
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

import pytest
from jinja2 import DictLoader

from tests.mailserver import SELF_SIGNED, MailServer, sign_in_with, tls
from tests.network import Network
from tests.processes import free_port
from tests.tarpit import Tarpit, Trouble
from webapp import mailer
from webapp.lib.times import utcnow
from webapp.mailer import Attachment, Letter, Line, MailError, mail


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
    [
        "posts.json",
        "Übersicht 👋.csv",
        'a"b;c.txt',
        "名前.json",
        "x" * 180 + ".bin",
        "with space.txt",
        "50%.txt",
        "名" * 180 + ".bin",
        "a  b.txt",
        "it's.txt",
        r"back\slash.txt",
    ],
)
def test_an_attachment_arrives_as_it_was_sent(send, mailserver, name):
    data = bytes(range(256)) * 300
    send(mailserver, attachments=[Attachment(name, "application/octet-stream", data)])
    [part] = mailserver.mails[0].iter_attachments()
    assert (part.get_filename(), part.get_payload(decode=True)) == (name, data)


SUBJECTS = {
    "other scripts": "Grüße — 名前 👋",
    "as long as a subject may be": "x" * 200,
    "long, in words": "word " * 39 + "end",
    "long, in another script": "名" * 200,
    "wide blanks": "a  b     c" + " " * 80 + "d",
    "wide blanks between other letters": "é  é     é" * 10,
    "what looks encoded": "=?utf-8?q?x?= and =?utf-8?b?eA==?=",
    "a family in one sign": "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} می\u200cخواهم",
    "what means something in other headers": '"a" <b@c.example>, (d); e: f',
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_subject_arrives_as_it_was_written(send, mailserver, subject):
    send(mailserver, subject=subject)
    assert mailserver.mails[0]["Subject"] == subject


@pytest.mark.parametrize(
    "subject",
    [
        "Hello\nBcc: eve@example.com",
        "Hello\r\nBcc: eve@example.com",
        "Hello\r\n\r\nBody",
        "Hello\r\n Bcc: eve@example.com",
        "Hello\rBcc: eve@example.com",
        "Hello\x00",
        "Hello\u2028Bcc: eve@example.com",
        "Hello\x85Bcc: eve@example.com",
    ],
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


# As it comes over the line: the mail server of these tests looks at every mail of every test, see `faults_of`.


@pytest.fixture
def deliver(app, mailserver):
    """A function that sends a letter to one person; returns what arrived."""

    def deliver(letter: Letter, recipient: str = "ann@example.com"):
        with app.app_context(), Line() as line:
            line.send(letter, recipient, "letter-1")
        return mailserver.mails[-1]

    return deliver


TEXTS = {
    "one long paragraph": "x" * 944,
    "as long as a text may be": "long paragraph " * 1333,
    "two bytes a letter, in one line": "é" * 998,
    "three bytes a letter, in one line": "正" * 5000,
    "four bytes a letter, in one line": "👋" * 1000,
    "a little of another script in much of this": "word " * 300 + "é" + " word" * 300,
    "short lines of another script": "Grüße,\nAndré",
    "blanks at the ends of lines": "a   \n\tb\t\n   ",
    "dots at the beginning of lines": ".\n..\n.b\n.",
    "what a mailbox divides mails by": "From here\n>From there",
    "what looks encoded": "a=3D =?utf-8?q?x?= =\n=",
    "many empty lines": "a" + "\n" * 30 + "b",
    "signs that are none": "a\x00b\x0bc\x0cd\x1be",
    "ends of lines of other kinds": "a\u2028b\u2029c\x85d",
    "nothing": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_arrives_as_it_was_typed_in_lines_that_every_server_takes(deliver, text):
    mail = deliver(Letter("Hello", text, f"<p>{text}</p>"))
    said = text.replace("\n", "\r\n")
    assert mail.get_body(("plain",)).get_content() == f"{said}\r\n"
    assert mail.get_body(("html",)).get_content() == f"<p>{said}</p>\r\n"


def test_all_parts_are_where_a_mail_program_looks_for_them(deliver):
    logo, file = Attachment("logo", "image/png", b"png"), Attachment("a.csv", "text/csv; charset=utf-8", b"\r\na\rb\n")
    mail = deliver(Letter("Hello", "text", "<img src='cid:logo'>", [file, file], [logo], "Ännchen <a@b.example>"))
    kinds = [part.get_content_type() for part in mail.walk()]
    related = ["multipart/related", "text/html", "image/png"]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", *related, "text/csv", "text/csv"]
    assert [part["Content-ID"] for part in mail.walk() if part["Content-ID"]] == ["<logo>"]
    assert [part.get_payload(decode=True) for part in mail.iter_attachments()] == [b"\r\na\rb\n"] * 2
    assert str(make_header(decode_header(mail["Reply-To"]))) == "Ännchen <a@b.example>"
    assert abs(parsedate_to_datetime(mail["Date"]).replace(tzinfo=None) - utcnow()).total_seconds() < 600


@pytest.mark.parametrize("is_automatic", [True, False])
def test_what_the_site_sends_by_itself_says_so_and_what_people_send_does_not(deliver, is_automatic):
    mail = deliver(Letter("Hello", "text", "<p>text</p>", is_automatic=is_automatic))
    assert mail.get_all("Auto-Submitted", []) == (["auto-generated"] if is_automatic else [])


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("Müller & Söhne <post@errand.example>", "Müller & Söhne", "post@errand.example"),
        ('"Doe, Jane (Errand)" <jane@errand.example>', "Doe, Jane (Errand)", "jane@errand.example"),
        ("Errand <post@straße.example>", "Errand", "post@xn--strae-oqa.example"),
        ("post@errand.example", "", "post@errand.example"),
        (f"Errand <post@{'long.' * 40}example>", "Errand", f"post@{'long.' * 40}example"),
    ],
)
def test_a_sender_of_any_name_is_named_right(send, mailserver, sender, name, address):
    send(mailserver, MAIL_DEFAULT_SENDER=sender)
    [arrived] = mailserver.mails[0]["From"].addresses
    assert (arrived.display_name, arrived.addr_spec) == (name, address)
    assert mailserver.mails[0]["Message-ID"] == f"<task-1@{address.partition('@')[2]}>"


def test_a_domain_in_another_script_is_asked_for_by_its_ascii_name(send, mailserver):
    send(mailserver, "ann@bücher.example")
    assert mailserver.recipients == [["ann@xn--bcher-kva.example"]]


def test_a_name_before_the_at_that_no_server_here_can_write_is_told(send, mailserver):
    with pytest.raises(MailError, match="cannot be mailed to"):
        send(mailserver, "jörg@example.com")


def test_files_are_encoded_once_however_many_get_them(app, mailserver, monkeypatch):
    encoded, content = [], mailer.mime.content
    monkeypatch.setattr(mailer.mime, "content", lambda *given: encoded.append(given) or content(*given))
    letter = Letter("Hello", "text", "<p>text</p>", [Attachment("a.bin", "application/octet-stream", b"\0" * 100_000)])
    with app.app_context(), Line() as line:
        for number in range(5):
            line.send(letter, f"p{number}@example.com", f"letter-{number}")
    assert len(encoded) == 1
    assert [mail["To"] for mail in mailserver.mails] == [f"p{number}@example.com" for number in range(5)]
    assert [mail["Message-ID"] for mail in mailserver.mails] == [f"<letter-{n}@localhost>" for n in range(5)]
    bodies = {re.sub(rb"^.*?\r\nMIME-Version", b"", raw, flags=re.DOTALL) for raw in mailserver.raw}
    assert len(bodies) == 1


def test_flask_mail_is_told_of_each_mail_and_can_keep_them_to_itself(app, mailserver):
    app.extensions["mail"].suppress = True
    with app.app_context(), mail.record_messages() as sent:
        mail.send(Letter("Grüße", "text", "<p>text</p>").to("ann@example.com", "letter-1"))
    [message] = sent
    assert (message.subject, message.recipients) == ("Grüße", ["ann@example.com"])
    assert "Message-ID: <letter-1@localhost>" in str(message)
    assert mailserver.mails == []


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
    assert not refused.value.may_resubmit


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
