"""An SMTP server that takes its time: at one step of each conversation it hangs, says a byte now and then, or says
`250-wait` for ever. Apart from that it does all that a mail needs, with STARTTLS and a sign-in.
"""

import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.mailserver import tls

PAUSE = 0.2  # seconds between two bytes, or two lines
ANSWERS = {
    "BANNER": "220-localhost\r\n220 at your service",
    "EHLO": "250-localhost\r\n250-STARTTLS\r\n250 AUTH PLAIN",
    "STARTTLS": "220 Go on",
    "AUTH": "235 Welcome",
    "DATA": "354 Go on",
    "MESSAGE": "250 I have it",
    "QUIT": "221 Bye",
}


@dataclass(frozen=True)
class Trouble:
    """At which step, named by the client's word, or BANNER, HANDSHAKE, BODY or MESSAGE; and how."""

    step: str
    manner: str = "silence"  # or "drip", "lines"; a body is read slowly whatever it says here


class Tarpit:
    """Takes the troubles in turn, one for each connection, and has none after that. `messages` is what it got."""

    def __init__(self, port: int, *troubles: Trouble) -> None:
        self.messages: list[bytes] = []
        self._troubles, self.connections = list(troubles), 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self._is_over = threading.Event()

    @contextmanager
    def running(self):
        """Take connections while the block lasts."""
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._is_over.set()
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not end a thread's accept()
            self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                trouble = self._troubles.pop(0) if self._troubles else Trouble("")
                self.connections += 1
                threading.Thread(target=self._converse, args=(sock, trouble), daemon=True).start()

    def _converse(self, sock: Any, trouble: Trouble) -> None:
        with suppress(OSError), ExitStack() as open_files:
            open_files.enter_context(sock)
            self._answer(sock, "BANNER", trouble)
            lines = open_files.enter_context(sock.makefile("rb"))
            while line := lines.readline():
                word = line.split()[0].decode().upper()
                self._answer(sock, word, trouble)
                if word == "STARTTLS":
                    if trouble.step == "HANDSHAKE":
                        self._wait_for_ever(sock, trouble)
                    sock = open_files.enter_context(tls().wrap_socket(sock, server_side=True))
                    lines = open_files.enter_context(sock.makefile("rb"))
                elif word == "DATA":
                    self._take_message(lines, trouble)
                    self._answer(sock, "MESSAGE", trouble)
                elif word == "QUIT":
                    return

    def _take_message(self, lines: Any, trouble: Trouble) -> None:
        message = []
        while (line := lines.readline()) != b".\r\n":
            if not line:
                raise ConnectionError("half a message")
            message.append(line)
            if trouble.step == "BODY":
                time.sleep(PAUSE)
        self.messages.append(b"".join(message))

    def _answer(self, sock: Any, step: str, trouble: Trouble) -> None:
        if step == trouble.step:
            self._wait_for_ever(sock, trouble)
        sock.sendall(ANSWERS.get(step, "250 OK").encode() + b"\r\n")

    def _wait_for_ever(self, sock: Any, trouble: Trouble) -> None:
        code = ANSWERS.get(trouble.step, "250 OK")[:3].encode()
        said = {"silence": b"", "drip": b"x", "lines": code + b"-wait\r\n"}[trouble.manner]
        if trouble.manner == "drip":
            sock.sendall(code + b" ")
        while not self._is_over.wait(PAUSE):
            sock.sendall(said)
        raise ConnectionError("it is over")


def message_ids(tarpit: Tarpit) -> list[str]:
    """The Message-ID of each message that it got."""
    lines = (line for message in tarpit.messages for line in message.decode().splitlines())
    return [line.partition(": ")[2] for line in lines if line.lower().startswith("message-id:")]
