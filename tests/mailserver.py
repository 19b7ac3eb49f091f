"""A real SMTP server for tests: keeps every mail in memory, and misbehaves when told to."""

import asyncio
import email.policy
import ssl
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.processes import free_port

SELF_SIGNED = Path(__file__).parent / "self_signed.pem"  # for localhost, believed by nobody


ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version")
LONGEST_LINE = 998  # RFC 5322, 2.1.1


def faults_of(raw: bytes) -> list[str]:
    """What is wrong with a mail as it came over the line, whatever it says; a server may refuse it for each."""
    lines = raw.split(b"\r\n")
    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(raw)
    found = [f"line {n} has {len(line)} bytes" for n, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    found += [f"line {n} has bytes of 8 bit" for n, line in enumerate(lines, 1) if not line.isascii()]
    found += [f"line {n} has a bare CR, LF or NUL" for n, line in enumerate(lines, 1) if set(line) & set(b"\r\n\0")]
    found += [f"{name} stands there {number} times" for name in ONCE if (number := len(mail.get_all(name, []))) != 1]
    found += [f"{defect!r}" for part in mail.walk() for defect in part.defects]
    inner = [part for part in mail.walk() if part is not mail]
    return found + ["MIME-Version stands in a part" for part in inner if "MIME-Version" in part]


class MailServer:
    """What it got is in `mails`, oldest first, and in `raw` as it came; whom it was for in `recipients`, a list each.

    What was wrong with any is in `faults`.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.faults: list[str] = []
        self.recipients: list[list[str]] = []
        self.refused: set[str] = set()
        self.is_silent = False
        self.answer_to_data = "250 OK"
        self.answers: dict[str, str] = {}  # by address, to its RCPT
        # By address; when it has the whole mail, "drop" hangs up and "silence" keeps it, and says nothing for good.
        self.answers_to_data: dict[str, str] = {}
        self.drops_after: int | None = None  # how many mails it takes on one connection before it hangs up
        self.silent_for: set[str] = set()
        self.is_silent_after_refusal = False
        self.takes = 0.0  # seconds for a mail
        self.connections = 0

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:  # noqa: N802 - aiosmtpd's name
        self.connections += 1
        session.host_name, session.mails = hostname, 0
        return responses

    async def handle_NOOP(self, server: Any, session: Any, envelope: Any, arg: str) -> str:  # noqa: N802 - aiosmtpd's name
        if getattr(session, "mails", 0) == self.drops_after:
            server.transport.close()
        return "250 OK"

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if session.mails == self.drops_after:
            server.transport.close()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.is_silent or address in self.silent_for:
            await asyncio.Event().wait()
        if address in self.refused:
            return "550 No such person here"
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_RSET(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.is_silent_after_refusal:
            await asyncio.Event().wait()
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        await asyncio.sleep(self.takes)
        answer = self.answers_to_data.get(envelope.rcpt_tos[0], self.answer_to_data)
        if answer == "drop":
            server.transport.close()
            return "421 Gone"
        if answer.startswith("250") or answer == "silence":
            mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(envelope.original_content)
            self.mails.append(mail)
            self.raw.append(envelope.original_content)
            self.faults += faults_of(envelope.original_content)
            self.recipients.append(envelope.rcpt_tos)
        session.mails += 1
        if answer == "silence":
            await asyncio.Event().wait()
        return answer

    @contextmanager
    def running(self, **options: Any):
        """Listen on loopback while the block lasts."""
        controller = Controller(self, "127.0.0.1", self.port, **options)
        controller.start()
        try:
            yield self
        finally:
            controller.stop(no_assert=True)


def tls() -> ssl.SSLContext:
    """The server's side of a line that is encrypted with the self-signed certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    return context


def sign_in_with(username: str, password: str):
    """An authenticator that believes one pair only."""

    def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (username.encode(), password.encode()), handled=False)

    return authenticate
