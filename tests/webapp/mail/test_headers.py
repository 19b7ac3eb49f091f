"""What stands at the head of a mail, as it comes over the line; `faults_of` looks at every mail of every test."""

import pytest

from webapp.mail import MailError, OutgoingMail, SmtpSession, headers

SUBJECTS = {
    "other scripts": "Grüße — 名前 👋",
    "as long as a subject may be": "x" * 200,
    "long, in words": "word " * 39 + "end",
    "long, in another script": "名" * 200,
    "wide blanks": "a  b     c" + " " * 80 + "d",
    "wide blanks between other letters": "é  é     é" * 10,
    "what looks encoded": "=?utf-8?q?x?= and =?utf-8?b?eA==?=",
    "what would be two lines if it were encoded": "=?utf-8?q?a=0ABcc:_eve@example.com?=",
    "blanks around it": "  a  ",
    "a sign that joins words, many times": "a\u00a0b " * 20,
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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "(" * 900 + "ann@example.com",
        "<" * 900 + "ann@example.com",
        "ann@" + "a." * 600 + "example",
        "ann@bücher..example",
        "ann@" + "ü" * 100 + ".example",
        "ann@example.com\0",
    ],
)
def test_an_address_that_is_none_is_refused_whatever_its_parser_makes_of_it(text):
    with pytest.raises(headers.InvalidHeader):
        headers.address(text, "To")


@pytest.mark.parametrize(
    ("given", "name"), [({"subject": "Hello\nBcc: eve@example.com"}, "Subject"), ({"reply_to": "ann"}, "Reply-To")]
)
def test_what_is_wrong_for_everybody_is_told_as_such_before_anything_is_sent(app, mailserver, given, name):
    content = OutgoingMail(**{"subject": "Hello", "text": "text", "html": "<p>text</p>"} | given)
    with app.app_context(), SmtpSession() as session, pytest.raises(MailError, match=name) as failed:
        session.send(content, "ann@example.com", "mail-1")
    assert (failed.value.for_everybody, failed.value.may_retry) == (True, False)
    assert mailserver.recipients == []


def test_what_is_wrong_with_one_address_is_told_of_that_one_and_the_next_gets_it(app, mailserver):
    content = OutgoingMail("Hello", "text", "<p>text</p>")
    with app.app_context(), SmtpSession() as session:
        with pytest.raises(MailError, match="cannot be mailed to") as failed:
            session.send(content, "jörg@example.com", "mail-1")
        assert not failed.value.for_everybody
        session.send(content, "ann@example.com", "mail-2")
    assert mailserver.recipients == [["ann@example.com"]]
