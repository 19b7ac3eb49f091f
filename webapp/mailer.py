"""Builds and sends mail: Flask-Mail with a deadline and a verified certificate, one recipient a message."""

import smtplib
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import parseaddr
from typing import Any, Self

from flask import Flask, current_app, render_template
from flask_mail import Attachment as FlaskMailAttachment
from flask_mail import BadHeaderError, Connection, Mail, Message

from webapp.deadline import deadline
from webapp.settings import Settings
from webapp.smtp import open_smtp

TIMEOUT = 20  # seconds for a mail in all, from the first packet to the server's last word about it
QUIT_WITHIN = 2  # seconds, for goodbye
FAILURES = (smtplib.SMTPException, OSError, BadHeaderError, UnicodeError)


@dataclass(frozen=True)
class Attachment:
    """A file to send along, whole in memory."""

    name: str
    content_type: str
    data: bytes


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
    """Send one mail to one person, made from `email/<template>.txt` and `.html`, and wait until the server has it: for
    TIMEOUT seconds at the most.

    Needs an app context. `message_id` names the mail for good: sending it again with the same one lets a receiver
    know it for the same. Returns False, having sent nothing, where no mail server is set. Raises MailError otherwise.
    """
    if not is_set_up():
        return False
    letter = Letter(subject, *render(template, **context), attachments=attachments)
    message = letter.to(recipient, message_id)
    try:
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
    """A mail before it is addressed. The HTML shows the pictures of `inline` as `cid:<name>`."""

    subject: str
    text: str
    html: str
    attachments: Sequence[Attachment] = ()
    inline: Sequence[Attachment] = ()
    reply_to: str | None = None

    def to(self, recipient: str, message_id: str) -> Message:
        """The mail to one person."""
        message = _Message(
            self.subject,
            recipients=[recipient],
            body=self.text,
            html=self.html,
            attachments=[FlaskMailAttachment(a.name, a.content_type, a.data) for a in self.attachments],
            reply_to=self.reply_to,
        )
        message.inline = self.inline
        domain = parseaddr(current_app.config["MAIL_DEFAULT_SENDER"])[1].rpartition("@")[2] or "localhost"
        message.msgId = f"<{message_id}@{domain}>"
        return message


class _Message(Message):
    """Flask-Mail's message, with pictures that belong to the HTML and are no attachments (RFC 2387)."""

    inline: Sequence[Attachment] = ()

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        part = super()._mimetext(text, subtype)
        if subtype != "html" or not self.inline:
            return part
        related = MIMEMultipart("related", None, [part])
        for picture in self.inline:
            image = MIMEImage(picture.data, picture.content_type.partition("/")[2])
            image.add_header("Content-ID", f"<{picture.name}>")
            image.add_header("Content-Disposition", "inline", filename=picture.name)
            related.attach(image)
        return related  # type: ignore[return-value]  # Flask-Mail only attaches it


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
        case smtplib.SMTPNotSupportedError() | ssl.SSLError() | UnicodeError() | BadHeaderError():
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
        case UnicodeError() | BadHeaderError():
            return f"the address {recipient} cannot be mailed to."
        case _:
            return "the mail server could not be reached."
