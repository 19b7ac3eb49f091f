"""SmtpSession: one connection to the mail server for many mails, each with a deadline."""

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from webapp.lib.deadline import deadline
from webapp.mail import budget
from webapp.mail.connection import QUIT_WITHIN, close_connection, open_connection
from webapp.mail.dispatched import announce
from webapp.mail.exchange import CLOSING, Exchange
from webapp.mail.extension import mail_settings, timeout
from webapp.mail.failures import MailError, as_mail_error
from webapp.mail.outgoing import AddressedMail, OutgoingMail

LISTENS_FOR = 1.0  # seconds after an answer for which the server need not be asked whether it listens


class SmtpSession:
    """A connection to the mail server that serves for many mails. A context manager; needs an app context.

    It is opened when it is first needed, and again when it was lost or has carried `MAIL_MAX_EMAILS`. Each mail has
    `MAIL_TIMEOUT` seconds, with all that it takes to make ready for it and, after the last, to say goodbye; once the
    server has timed out, a quarter of that. With `MAIL_SUPPRESS_SEND` nothing is opened or sent, only announced.
    """

    def __init__(self, *, ahead: int = 1, is_reserved: bool = False) -> None:
        """`ahead` is how many mails may be counted at once in the site's budget; `is_reserved` says that they may take
        of what is reserved there.
        """
        self._ahead, self._is_reserved = ahead, is_reserved
        self._granted = 0  # mails that are counted, and not sent yet
        self._settings = mail_settings()
        self._smtp: smtplib.SMTP | None = None
        self._carried = 0  # mails, by this connection
        self._answered_at = 0.0  # by time.monotonic()
        self._patience = timeout()  # seconds for a mail
        self._left = self._patience  # seconds, of those of the mail that is under way
        self._is_made_ready = self._was_asked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._hang_up(min(QUIT_WITHIN, self._left))
        if kind is None:  # else it would be undone with all that was not saved, or hide what went wrong
            self.give_back()

    def give_back(self) -> None:
        """Count no more what was counted ahead and not sent: for who will not send for a while, and then commits. Who
        sends after all counts anew."""
        granted, self._granted, self._is_made_ready = self._granted, 0, False
        budget.give_back(granted)

    @property
    def is_ready(self) -> bool:
        """Whether `make_ready` would ask nobody, and so cannot fail: the server has just answered, or nothing is sent;
        and another mail is counted.
        """
        return self._has_just_answered and bool(self._granted or not budget.is_limited() or self._settings.suppress)

    def make_ready(self) -> None:
        """See to it that the server listens, and count a mail, which is sent after that.

        Raises MailError when it does not listen, which says nothing of any recipient, and BudgetUsedUp. Where a mail is
        sent in a transaction, the write belongs in front of that: so whoever sends many calls this, and commits.
        """
        self._left = self._patience
        self._was_asked = not self._has_just_answered
        if self._was_asked:
            with self._step():
                if not self._is_listening():
                    self._reopen()
        if not (self._granted or self._settings.suppress):
            self._granted = budget.take(self._ahead, is_reserved=self._is_reserved)
        self._is_made_ready = True

    def send(self, content: OutgoingMail, recipient: str, message_id: str) -> None:
        """Send a mail to one person, and wait until the server has it.

        `message_id` names it for good: sent again with the same one, a receiver may know it for the same. Raises
        MailError, which is about this recipient unless its `for_everybody` or `unheard` says otherwise.
        """
        if not self._is_made_ready:
            self.make_ready()
        self._is_made_ready = False
        self._granted = max(0, self._granted - 1)
        with as_mail_error(recipient):
            mail = content.addressed_to(recipient, message_id)  # outside of the deadline: it waits for nobody
        if self._smtp:
            with self._step(recipient):
                self._begin(mail).finish()
            self._carried += 1
        announce(content, mail)

    def _begin(self, mail: AddressedMail) -> Exchange:
        """Begin the exchange, on a new connection where the server has left the old one since the mail before."""
        if not self._was_asked:
            try:
                with deadline(self._patience / 4):
                    return self._exchange(mail)
            except OSError as error:
                if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code != CLOSING:
                    raise
            with as_mail_error(unheard=True):
                self._reopen()
        return self._exchange(mail)

    def _exchange(self, mail: AddressedMail) -> Exchange:
        assert self._smtp
        exchange = Exchange(self._smtp, mail)
        exchange.begin()
        return exchange

    @contextmanager
    def _step(self, recipient: str = "") -> Iterator[None]:
        """Something that the server takes part in, within what is left of the mail's time."""
        begun = time.monotonic()
        try:
            with as_mail_error(recipient), deadline(self._left):
                yield
        except MailError as error:
            if error.timed_out:
                self._patience = timeout() / 4
            raise
        finally:
            self._answered_at = time.monotonic()
            self._left = max(0.0, self._left - (self._answered_at - begun))

    def _reopen(self) -> None:
        self._hang_up(QUIT_WITHIN)
        of = self._settings
        if not of.suppress:
            self._smtp = open_connection(
                of.server,
                of.port,
                use_tls=of.use_tls,
                use_ssl=of.use_ssl,
                username=of.username,
                password=of.password,
            )

    @property
    def _has_just_answered(self) -> bool:
        if self._settings.suppress:
            return True
        return self._is_usable() and time.monotonic() < self._answered_at + LISTENS_FOR

    def _is_usable(self) -> bool:
        """Whether there is a connection that nobody has closed, as far as we know, and that may carry one more mail."""
        return bool(self._smtp and self._smtp.sock) and self._carried != self._settings.max_emails

    def _is_listening(self) -> bool:
        if self._smtp is None or not self._is_usable():
            return False
        try:
            with deadline(self._patience / 4):
                return bool(self._smtp.noop()[0] == 250)
        except OSError:
            return False

    def _hang_up(self, within: float) -> None:
        smtp, self._smtp, self._carried = self._smtp, None, 0
        if smtp:
            close_connection(smtp, within)
