"""Sends mail: Flask-Mail with a deadline and a verified certificate, one recipient a message.

Flask-Mail has the settings and the connection, sends what it is given (or nothing, with `MAIL_SUPPRESS_SEND`), and
tells `record_messages` and `email_dispatched` of it. What is sent is built by `webapp.mime`: what Flask-Mail builds has
lines of any length and in 8bit, and encodes each file anew for everybody. It asks a message for `as_bytes`, and here
those are ready.
"""

import smtplib
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property
from typing import Any, Self

from flask import Flask, current_app, render_template
from flask_mail import Connection, Mail, Message

from webapp import mime
from webapp.lib.deadline import deadline
from webapp.mime import Attachment, BadHeader
from webapp.settings import Settings
from webapp.smtp import open_smtp

__all__ = ["FAILURES", "Attachment", "Letter", "Line", "MailError", "init_app", "is_set_up", "mail", "render", "send"]

TIMEOUT = 20  # seconds for a mail in all, from the first packet to the server's last word about it
QUIT_WITHIN = 2  # seconds, for goodbye
FAILURES = (smtplib.SMTPException, OSError, BadHeader, UnicodeError)


class MailError(Exception):
    """A mail that was not sent. Its text says why, in words for people; `may_pass` whether a later try may do.

    `for_all` says that it would be the same for every recipient, `dropped` that the server hung up or fell silent, and
    `hung` that it was the latter.
    """

    def __init__(
        self, words: str, may_pass: bool, for_all: bool = False, dropped: bool = False, hung: bool = False
    ) -> None:
        super().__init__(words)
        self.may_pass, self.for_all, self.dropped, self.hung = may_pass, for_all, dropped, hung


class _Connection(Connection):
    """Flask-Mail's connection, which by itself waits forever and believes any certificate. Needs a deadline."""

    def configure_host(self) -> smtplib.SMTP:
        """A connection to the mail server, encrypted and signed in as the settings say."""
        mail = self.mail
        return open_smtp(
            mail.server,
            mail.port,
            use_tls=mail.use_tls,
            use_ssl=mail.use_ssl,
            username=mail.username,
            password=mail.password,
        )

    def __exit__(self, *_: object) -> None:
        if self.host is not None:
            # Saying goodbye to a server that has hung up must not hide what it said before.
            with suppress(smtplib.SMTPException, OSError), deadline(QUIT_WITHIN):
                self.host.quit()
            self.host.close()


class _Mail(Mail):
    def connect(self) -> Connection:
        return _Connection(current_app.extensions["mail"])


mail = _Mail()


def init_app(app: Flask, settings: Settings) -> None:
    """Set Flask-Mail up from the settings."""
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USERNAME=settings.mail_username,
        MAIL_PASSWORD=settings.mail_password,
        MAIL_USE_TLS=settings.mail_use_tls,
        MAIL_USE_SSL=settings.mail_use_ssl,
        MAIL_DEFAULT_SENDER=settings.mail_default_sender,
        MAIL_SUPPRESS_SEND=settings.mail_server is None,
    )
    mail.init_app(app)


def send(
    recipient: str,
    subject: str,
    template: str,
    *,
    message_id: str,
    attachments: Sequence[Attachment] = (),
    **context: Any,
) -> bool:
    """Send one mail of the site's own, made from `email/<template>.txt` and `.html`, and wait until the server has it:
    for TIMEOUT seconds at the most.

    Needs an app context. `message_id` names the mail for good: sending it again with the same one lets a receiver
    know it for the same. Returns False, having sent nothing, where no mail server is set. Raises MailError otherwise.
    """
    if not is_set_up():
        return False
    letter = Letter(subject, *render(template, **context), attachments=attachments)
    try:
        message = letter.to(recipient, message_id)
        with deadline(TIMEOUT):
            mail.send(message)
    except FAILURES as error:
        raise _failure(error, recipient) from error
    return True


def is_set_up() -> bool:
    """Whether there is a mail server at all."""
    return current_app.config["MAIL_SERVER"] is not None


def render(template: str, **context: Any) -> tuple[str, str]:
    """The text and the HTML of a mail, from `email/<template>.txt` and `.html`. Needs an app context."""
    context["base_url"] = current_app.config["BASE_URL"]
    return render_template(f"email/{template}.txt", **context), render_template(f"email/{template}.html", **context)


@dataclass(frozen=True)
class Letter:
    """A mail before it is addressed. The HTML shows the pictures of `inline` as `cid:<name>`.

    One that the site sends by itself says so, which keeps answering machines from answering it (RFC 3834).
    """

    subject: str
    text: str
    html: str
    attachments: Sequence[Attachment] = ()
    inline: Sequence[Attachment] = ()
    reply_to: str | None = None
    is_automatic: bool = True

    def to(self, recipient: str, message_id: str) -> Message:
        """The mail to one person, now. What is the same for everybody is built with the first, and kept.

        Needs an app context. Raises BadHeader and UnicodeError for what cannot stand at the head of a mail.
        """
        sender = current_app.config["MAIL_DEFAULT_SENDER"]
        domain = mime.address(sender).rpartition("@")[2] or "localhost"
        head = {
            "From": mime.mailbox(sender, "From"),
            "To": mime.address(recipient),
            "Reply-To": mime.mailbox(self.reply_to, "Reply-To") if self.reply_to else "",
            "Subject": mime.line_of(self.subject, "Subject"),
            "Date": formatdate(),
            "Message-ID": f"<{message_id}@{domain}>",
            "Auto-Submitted": "auto-generated" if self.is_automatic else "",
            "MIME-Version": "1.0",
        }
        lines = mime.head((name, value) for name, value in head.items() if value)
        return _Message(self.subject, head["To"], mime.address(sender), head["Message-ID"], lines + self._content)

    @cached_property
    def _content(self) -> bytes:
        return mime.content(self.text, self.html, self.attachments, self.inline)


class _Message(Message):
    """A message of Flask-Mail's that is written already."""

    def __init__(self, subject: str, recipient: str, sender: str, message_id: str, data: bytes) -> None:
        super().__init__(subject, recipients=[recipient], sender=sender)
        self.msgId = message_id
        self._data = data

    def as_bytes(self) -> bytes:
        """As the mail server gets it."""
        return self._data

    def as_string(self) -> str:
        """The same; all of it is ASCII."""
        return self._data.decode("ascii")


class Line:
    """A connection to the mail server that serves for many mails. A context manager; needs an app context.

    It is opened when it is first needed, and again when it has dropped. Each mail has TIMEOUT seconds, with all that it
    takes to make ready for it; once the server has hung, a quarter of that.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._is_ready = False
        self._patience: float = TIMEOUT
        self._spent = 0.0  # seconds that making ready has taken of the next mail's

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def make_ready(self) -> None:
        """See to it that the server listens. Raises MailError when it does not, which says nothing of any recipient."""
        begun = time.monotonic()
        try:
            with deadline(self._patience):
                if not self._is_open():
                    self._hang_up()
                    self._connection = mail.connect().__enter__()
        except FAILURES as error:
            raise self._failed(error, "") from error
        self._spent = time.monotonic() - begun
        self._is_ready = True

    def send(self, letter: Letter, recipient: str, message_id: str) -> None:
        """Send a letter to one person, and wait until the server has it.

        Raises MailError, which is about this recipient unless its `for_all` says otherwise.
        """
        if not self._is_ready:
            self.make_ready()
        self._is_ready = False
        assert self._connection
        message = letter.to(recipient, message_id)
        try:
            with deadline(max(0.0, self._patience - self._spent)):
                self._connection.send(message)
        except FAILURES as error:
            raise self._failed(error, recipient) from error

    def _failed(self, error: BaseException, recipient: str) -> MailError:
        failure = _failure(error, recipient)
        if failure.hung:
            self._patience = TIMEOUT / 4
        return failure

    def _is_open(self) -> bool:
        if not (self._connection and self._connection.host):
            return False
        try:
            with deadline(self._patience / 4):
                return bool(self._connection.host.noop()[0] == 250)
        except FAILURES:
            return False

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.__exit__(None, None, None)  # type: ignore[arg-type]  # ours looks at none of them


def _failure(error: BaseException, recipient: str) -> MailError:
    error = _last_word(error)
    for_all = isinstance(error, smtplib.SMTPSenderRefused)
    hung = isinstance(error, TimeoutError)
    return MailError(_in_words(error, recipient), _may_pass(error), for_all, _dropped(error), hung)


def _last_word(error: BaseException) -> BaseException:
    """What the server had said before time was up, if that was a refusal; smtplib takes half an answer for one."""
    said = error.__cause__
    if isinstance(error, TimeoutError) and isinstance(said, smtplib.SMTPRecipientsRefused):
        return said if all(code >= 400 for code, _ in said.recipients.values()) else error
    if isinstance(error, TimeoutError) and isinstance(said, smtplib.SMTPResponseException):
        return said if said.smtp_code >= 400 else error
    return error


def _dropped(error: BaseException) -> bool:
    """Whether the server hung up or fell silent; smtplib's exceptions are all OSErrors."""
    answered = isinstance(error, (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused))
    return isinstance(error, OSError) and not answered


def _may_pass(error: BaseException) -> bool:
    """A refusal with a code of 500 or more is for good (RFC 5321, 4.2.1); so is what is wrong on our side."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code < 500 for code, _ in error.recipients.values())
        case smtplib.SMTPResponseException():
            return error.smtp_code < 500
        case smtplib.SMTPNotSupportedError() | ssl.SSLError() | UnicodeError() | BadHeader():
            return False
    return True


def _in_words(error: BaseException, recipient: str) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return f"the mail server refused the address {recipient}."
        case smtplib.SMTPAuthenticationError():
            return "the mail server refused our sign-in."
        case ssl.SSLError():
            return "the mail server's certificate could not be verified."
        case TimeoutError():
            return "the mail server did not answer in time."
        case smtplib.SMTPNotSupportedError():
            return "the mail server does not offer what MAIL_USE_TLS or MAIL_USERNAME asks for."
        case smtplib.SMTPResponseException():
            return f"the mail server refused it (code {error.smtp_code})."
        case UnicodeError() | BadHeader():
            return f"the address {recipient} cannot be mailed to."
        case _:
            return "the mail server could not be reached."
