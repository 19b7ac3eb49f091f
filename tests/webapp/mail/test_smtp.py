"""SmtpSession: many mails by one connection, each with a deadline, whatever the server does."""

import smtplib
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from tests.mailserver import MailServer
from tests.network import Network
from tests.processes import free_port
from tests.tarpit import Tarpit, Trouble
from webapp.mail import Attachment, MailError, OutgoingMail, SmtpSession, smtp


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
        assert send(MAIL_TIMEOUT=3.0, MAIL_SERVER="127.0.0.1", MAIL_PORT=port)
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
        assert send(MAIL_TIMEOUT=3.0, MAIL_SERVER="127.0.0.1", MAIL_PORT=port)
        assert time.monotonic() - begun < 10
    assert len(tarpit.messages) == 1


# In as few round trips as the server allows


class _Pipelining:
    """A server that offers PIPELINING, and answers by its script; what it read before each answer is in `turns`."""

    def __init__(self, **answers: str) -> None:
        self.answers = {"EHLO": "250-localhost\r\n250-PIPELINING\r\n250 8BITMIME", "DATA": "354 Go on"} | answers
        self.turns: list[list[str]] = []
        self.texts: list[bytes] = []
        self.port = free_port()

    @contextmanager
    def running(self):
        """Listen while the block lasts."""
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
            thread.start()
            yield self
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    self._converse(sock)

    def _converse(self, sock: socket.socket) -> None:
        sock.sendall(b"220 at your service\r\n")
        while data := sock.recv(65536):
            commands = data.decode().split("\r\n")[:-1]
            self.turns.append(commands)
            answers = [self.answers.get(command[:4].upper().strip(), "250 OK") for command in commands]
            sock.sendall("".join(f"{answer}\r\n" for answer in answers).encode())
            if answers[-1].startswith("354"):
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    if not (more := sock.recv(65536)):
                        return
                    text += more
                self.texts.append(text)
                sock.sendall(b"250 I have it\r\n")


def _words(turn: list[str]) -> list[str]:
    return [command[:4] for command in turn]


def test_a_server_that_takes_commands_together_gets_them_so(send):
    with _Pipelining().running() as server:
        assert send(MAIL_SERVER="127.0.0.1", MAIL_PORT=server.port)
    assert list(map(_words, server.turns)) == [["ehlo"], ["MAIL", "RCPT", "DATA"], ["quit"]]
    assert b"\r\nTo: ann@example.com\r\n" in server.texts[0]


@pytest.mark.parametrize("data", ["503 For whom?", "354 Go on all the same"])
def test_a_recipient_who_is_refused_gets_nothing_and_the_next_one_does(make_app, data):
    content = OutgoingMail("Hello", "Hello", "<p>Hello</p>")
    with _Pipelining(RCPT="550 No such person", DATA=data).running() as server:
        app = make_app(mail_server="127.0.0.1", mail_port=server.port)
        with app.app_context(), SmtpSession() as session:
            with pytest.raises(MailError, match="refused the address") as refused:
                session.send(content, "ann@example.com", "1")
            server.answers |= {"RCPT": "250 OK", "DATA": "354 Go on"}
            session.send(content, "bob@example.com", "2")
    assert not refused.value.may_retry
    assert [b"To: bob@example.com" in text for text in server.texts] == [True]


def test_a_refused_sender_is_for_everybody_and_nothing_is_sent(send):
    server = _Pipelining(MAIL="550 Not you", RCPT="503 By whom?", DATA="503 By whom?")
    with server.running(), pytest.raises(MailError) as refused:
        send(MAIL_SERVER="127.0.0.1", MAIL_PORT=server.port)
    assert refused.value.for_everybody
    assert server.texts == []


def test_lines_that_begin_with_a_dot_arrive_whole(deliver):
    text = "..\n.\n.hidden\nend"
    mail = deliver(OutgoingMail("Dots", text, f"<pre>{text}</pre>"))
    assert mail.get_body(("plain",)).get_content().splitlines() == text.splitlines()


def test_a_server_that_has_just_answered_is_not_asked_whether_it_listens(app, mailserver, monkeypatch):
    asked = []
    monkeypatch.setattr(smtplib.SMTP, "noop", lambda _: asked.append(1) or (250, b"OK"))
    content = OutgoingMail("Hello", "Hello", "<p>Hello</p>")
    with app.app_context(), SmtpSession() as session:
        for number in range(3):
            session.send(content, f"p{number}@example.com", str(number))
        assert asked == []
        monkeypatch.setattr(smtp, "LISTENS_FOR", 0.0)
        session.send(content, "ann@example.com", "4")
    assert asked == [1]
    assert (len(mailserver.mails), mailserver.connections) == (4, 1)
