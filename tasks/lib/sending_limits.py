"""What keeps a mail to many from some of its people, or from all of them until later, as it is being sent."""

from flask import current_app

from tasks.engine import Postponed, Run, TaskError
from webapp.lib.times import clock_words, utcnow
from webapp.mail import SmtpSession
from webapp.mail.senders import refusal_for
from webapp.mail.words import OVER_LIMIT, STOPPED, so_far
from webapp.models import Delivery, MailCount, Mailing, Suppression, User
from webapp.models.mailing.delivery import UNSETTLED
from webapp.models.mailing.suppression import key_of


def demand_permission(mail: Mailing, sender: User) -> None:
    """Raise Postponed where its sender may not mail these people yet, and TaskError where waiting does not help."""
    refusal = refusal_for(sender, utcnow())
    if refusal is None or not refusal.is_about([delivery.address for delivery in Delivery.unsettled(mail)]):
        return
    if refusal.until:
        raise Postponed(STOPPED(reason=refusal.words, so_far=so_far(mail)), until=refusal.until)
    raise TaskError(STOPPED(reason=refusal.words, so_far=so_far(mail)))


def skip_or_postpone(task: Run, mail: Mailing, delivery: Delivery, session: SmtpSession) -> None:
    """A delivery could not begin: leave it out if its address is suppressed, or else raise Postponed."""
    if reason := Suppression.holding(mail.user_id, [delivery.address]).get(key_of(delivery.address)):
        delivery.skip(reason)
        return
    session.give_back()
    task.checkpoint()  # what came of the one before stands
    limit, counts = daily_limit(), Delivery.counts(mail)
    waiting = sum(counts[state] for state in UNSETTLED)
    until = MailCount.free_at(mail.user_id, limit, waiting)
    time = clock_words(until, mail.user.time_zone, after=utcnow())
    words = OVER_LIMIT(so_far=so_far(mail), number=waiting, time=time, limit=limit)
    raise Postponed(words, until=until)


def daily_limit() -> int:
    """How many people anybody may mail in 24 hours."""
    return int(current_app.config["SETTINGS"].mail_daily_limit)


class SentCounter:
    """Counts what a run sends of a mailing, a row for some minutes."""

    def __init__(self, mail: Mailing) -> None:
        self._mail = mail
        self._row: MailCount | None = None

    def add(self) -> None:
        """One more was sent."""
        if self._row is None or self._row.is_full:
            self._row = MailCount.begin(self._mail)
        self._row.add()
