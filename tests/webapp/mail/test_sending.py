"""Sending one mail of the site's own against a real SMTP server."""


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


def test_without_a_mail_server_nothing_is_sent_and_that_is_told(send):
    assert send(MAIL_SERVER=None) is False
