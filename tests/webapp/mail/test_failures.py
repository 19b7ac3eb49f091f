"""What is told of a mail that could not be sent."""

import pytest

from tests.processes import free_port
from webapp.mail import MailError


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


def test_a_refusal_stands_also_where_the_server_falls_silent_after_it(send, mailserver):
    mailserver.refused.add("ann@example.com")
    mailserver.is_silent_after_refusal = True
    with pytest.raises(MailError, match="refused the address") as refused:
        send(mailserver, MAIL_TIMEOUT=3.0)
    assert not refused.value.may_retry
