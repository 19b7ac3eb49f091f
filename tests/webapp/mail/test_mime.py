"""What a mail says, shows and brings, as it comes over the line; `faults_of` looks at every mail of every test."""

import re
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

import pytest

from webapp.lib.times import utcnow
from webapp.mail import Attachment, OutgoingMail, SmtpSession, outgoing


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
    mail = deliver(OutgoingMail("Hello", text, f"<p>{text}</p>"))
    said = text.replace("\n", "\r\n")
    assert mail.get_body(("plain",)).get_content() == f"{said}\r\n"
    assert mail.get_body(("html",)).get_content() == f"<p>{said}</p>\r\n"


def test_all_parts_are_where_a_mail_program_looks_for_them(deliver):
    logo, file = Attachment("logo", "image/png", b"png"), Attachment("a.csv", "text/csv; charset=utf-8", b"\r\na\rb\n")
    mail = deliver(OutgoingMail("Hello", "text", "<img src='cid:logo'>", [file, file], [logo], "Ännchen <a@b.example>"))
    kinds = [part.get_content_type() for part in mail.walk()]
    related = ["multipart/related", "text/html", "image/png"]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", *related, "text/csv", "text/csv"]
    assert [part["Content-ID"] for part in mail.walk() if part["Content-ID"]] == ["<logo>"]
    assert [part.get_payload(decode=True) for part in mail.iter_attachments()] == [b"\r\na\rb\n"] * 2
    assert str(make_header(decode_header(mail["Reply-To"]))) == "Ännchen <a@b.example>"
    assert abs(parsedate_to_datetime(mail["Date"]).replace(tzinfo=None) - utcnow()).total_seconds() < 600


@pytest.mark.parametrize("is_automatic", [True, False])
def test_what_the_site_sends_by_itself_says_so_and_what_people_send_does_not(deliver, is_automatic):
    mail = deliver(OutgoingMail("Hello", "text", "<p>text</p>", is_automatic=is_automatic))
    assert mail.get_all("Auto-Submitted", []) == (["auto-generated"] if is_automatic else [])


def test_files_are_encoded_once_however_many_get_them(app, mailserver, monkeypatch):
    encoded, build = [], outgoing.build_content
    monkeypatch.setattr(outgoing, "build_content", lambda *given: encoded.append(given) or build(*given))
    file = Attachment("a.bin", "application/octet-stream", b"\0" * 100_000)
    content = OutgoingMail("Hello", "text", "<p>text</p>", [file])
    with app.app_context(), SmtpSession() as session:
        for number in range(5):
            session.send(content, f"p{number}@example.com", f"mail-{number}")
    assert len(encoded) == 1
    assert [mail["To"] for mail in mailserver.mails] == [f"p{number}@example.com" for number in range(5)]
    assert [mail["Message-ID"] for mail in mailserver.mails] == [f"<mail-{n}@localhost>" for n in range(5)]
    bodies = {re.sub(rb"^.*?\r\nMIME-Version", b"", raw, flags=re.DOTALL) for raw in mailserver.raw}
    assert len(bodies) == 1


def test_half_of_a_pair_of_surrogates_keeps_no_mail_back(deliver):
    mail = deliver(OutgoingMail("Hello", "a\ud800b", "<p>a\ud800b</p>"))
    assert mail.get_body(("plain",)).get_content().strip() == "a?b"
