"""Mail by the site itself, about what happened to somebody: one mail for all of it, once.

Whether it was sent is on record as it is for a mail to many: just before it is given to the mail server each thing that
it tells of gets the mail's name, its Message-ID, and after that it is settled. So a run that goes on after one that
died repeats at most the mail that was in flight, by the same Message-ID, and nothing that is settled.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from tasks.engine import Postponed, Retries, Run, TaskFunction, TemporaryError
from webapp.lib.times import utcnow
from webapp.mail import MailError, OutgoingMail, SmtpSession
from webapp.models import AlreadyRunning, User

log = logging.getLogger(__name__)

# Whatever goes wrong is tried again after a while, and at longest until the next `line_up` starts anew.
RETRIES = Retries(6, delay=60, longest=3600, on=(Exception,))
AFTER_PEOPLE = -1  # what people have started goes before: where the mail server hangs, each of these takes its time


class Outbox(Protocol):
    """What is to be told, and to whom. Message, OutcomeMail and AccountMail are such."""

    def begin_mail(self, user: User, /) -> str | None:
        """Put what there is into a mail, unless one has been begun; returns its name."""

    def put_mail_off(self, user: User, key: str, /) -> None:
        """That mail was not sent; what it tells of is for another."""

    def settle_mail(self, user: User, key: str | None = None, /) -> None:
        """What that mail tells of, or all there is, is to be told no more."""


def line_up(function: TaskFunction, people: Iterable[User]) -> None:
    """Start a mail for each of these; whoever has one under way is left to that."""
    for user in people:
        try:
            function.launch(user)
        except AlreadyRunning:  # by another sweeper, since these were found
            continue


def _own_address(user: User, _: str) -> str:
    return user.email


def mail_once(
    task: Run,
    outbox: Outbox,
    about: str,
    content_of: Callable[[User, str], OutgoingMail | None],
    *,
    to: Callable[[User, str], str] = _own_address,
    is_reserved: bool = False,
) -> None:
    """Mail the task's user what the outbox has for them; none if `content_of` the user and the mail's name is None.

    It goes `to` their own address unless that says another. Raises TemporaryError where it is to be tried again, and
    what `content_of` raises, with the mail put off. A mail that is refused for good, or put off at the last attempt, is
    given up, which the log says, with what it was `about`. `is_reserved` as for SmtpSession.
    """
    user = task.user
    with SmtpSession(is_reserved=is_reserved) as session:
        try:
            session.make_ready()
        except MailError as error:
            if error.after is not None:
                raise Postponed(error.reason, until=utcnow() + timedelta(seconds=error.after)) from error
            raise TemporaryError(error.reason) from error
        key = outbox.begin_mail(user)
        task.checkpoint()  # a run that has lost its task sends nothing
        if key is None:
            return
        if content := _content(outbox, user, key, content_of):
            with _refusals(task, outbox, about, address := to(user, key), key):
                session.send(content, address, key)
        outbox.settle_mail(user, key)


def _content(
    outbox: Outbox, user: User, key: str, content_of: Callable[[User, str], OutgoingMail | None]
) -> OutgoingMail | None:
    try:
        return content_of(user, key)
    except Exception:
        outbox.put_mail_off(user, key)  # nothing has been sent, and what else is due need not wait for this
        raise


@contextmanager
def _refusals(task: Run, outbox: Outbox, about: str, address: str, key: str) -> Iterator[None]:
    try:
        yield
    except MailError as error:
        if error.connection_lost:
            raise TemporaryError(error.reason) from error  # it may have arrived: so it is the same mail again
        if error.for_everybody or (error.may_retry and not task.is_last_attempt):
            outbox.put_mail_off(task.user, key)
            raise TemporaryError(error.reason) from error
        reason = str(error).replace(address, "…")
        log.warning("User %d is not mailed about %s: %s", task.user.id, about, reason)
