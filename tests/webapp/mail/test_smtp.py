"""SmtpSession: many mails by one connection, each with a deadline, whatever the server does."""

import socket
import time

import pytest

from tests.mailserver import MailServer
from tests.network import Network
from tests.processes import free_port
from tests.tarpit import Tarpit, Trouble
from webapp.mail import Attachment, MailError, OutgoingMail, SmtpSession


def test_a_server_that_says_nothing_is_left_in_time(send):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailError, match="did not answer in time"):
        send(MAIL_TIMEOUT=1.0, MAIL_SERVER="127.0.0.1", MAIL_PORT=silent.getsockname()[1])


def test_a_server_that_falls_silent_in_the_middle_is_left_in_time(send, mailserver):
    mailserver.is_silent = True
    with pytest.raises(MailError, match="did not answer in time"):
        send(mailserver, MAIL_TIMEOUT=1.0)


def test_a_server_that_takes_a_large_mail_byte_by_byte_is_left_in_time(send):
    large = Attachment("large.bin", "application/octet-stream", bytes(10 * 1024 * 1024))
    with Tarpit(port := free_port(), Trouble("BODY")).running() as tarpit:
        begun = time.monotonic()
        with pytest.raises(MailError, match="did not answer in time"):
            send(MAIL_TIMEOUT=1.0, MAIL_SERVER="127.0.0.1", MAIL_PORT=port, attachments=[large])
        assert time.monotonic() - begun < 10
    assert tarpit.messages == []


def test_a_server_that_says_it_has_the_mail_and_then_drips_has_it(send):
    with Tarpit(port := free_port(), Trouble("MESSAGE", "drip")).running() as tarpit:
        assert send(MAIL_TIMEOUT=1.0, MAIL_SERVER="127.0.0.1", MAIL_PORT=port)
    assert len(tarpit.messages) == 1


def test_a_connection_that_was_dropped_for_good_is_opened_anew_in_time(make_app):
    """A router has forgotten the connection: what is sent on it vanishes, and nobody is told."""
    server = MailServer()
    with server.running(), Network(server.port) as network:
        app = make_app(mail_server="127.0.0.1", mail_port=network.port)
        app.config["MAIL_TIMEOUT"] = 2.0
        content = OutgoingMail("Hello", "Hello", "<p>Hello</p>")
        with app.app_context(), SmtpSession() as session:
            session.send(content, "ann@example.com", "1")
            network.swallow()
            network.heal()
            session.send(content, "bob@example.com", "2")
    assert server.recipients == [["ann@example.com"], ["bob@example.com"]]


@pytest.mark.parametrize(("most", "connections"), [(None, 1), (2, 3)])
def test_one_connection_carries_many_mails_or_as_many_as_it_may(app, mailserver, most, connections):
    app.extensions["mail"].max_emails = most
    content = OutgoingMail("Hello", "Hello", "<p>Hello</p>")
    with app.app_context(), SmtpSession() as session:
        for number in range(5):
            session.send(content, f"p{number}@example.com", str(number))
    assert (len(mailserver.mails), mailserver.connections) == (5, connections)


@pytest.mark.parametrize("manner", ["silence", "drip", "lines"])
def test_a_mail_is_sent_in_time_though_the_goodbye_is_not_answered(send, manner):
    with Tarpit(port := free_port(), Trouble("QUIT", manner)).running() as tarpit:
        begun = time.monotonic()
        assert send(MAIL_TIMEOUT=1.0, MAIL_SERVER="127.0.0.1", MAIL_PORT=port)
        assert time.monotonic() - begun < 10
    assert len(tarpit.messages) == 1
