"""Send one mail to many people, one at a time: each at least once, and again only with the same Message-ID."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tasks.engine import Postponed, Retries, Run, TaskError, TemporaryError, user_task
from tasks.engine.models.words import kept
from tasks.engine.stop_flag import MakingWay, ShuttingDown, StopRequested
from tasks.lib import mail_pace
from tasks.lib.csv_cells import csv_row
from tasks.lib.sending_limits import SentCounter, daily_limit, demand_permission, skip_or_postpone
from webapp.db import database
from webapp.lib.phrases import Phrase, phrase
from webapp.lib.times import utcnow
from webapp.mail import MailError, OutgoingMail, SmtpSession, budget, is_configured
from webapp.mail.mailings import outgoing_mail, render_mailing
from webapp.mail.words import STOPPED, count_words, so_far
from webapp.models import Delivery, MailCount, Mailing, Suppression, Task, tell_success_as
from webapp.models.mailing.delivery import Sending
from webapp.models.mailing.suppression import Reason
from webapp.models.notification_kinds import MAIL

TITLE = phrase("send_mail.title", "Email to {number} person: {subject}", plural="Email to {number} people: {subject}")
SENDING = phrase("send_mail.sending", "Sending to {address}")
DEFERRED = phrase("send_mail.deferred", "{so_far} The mail server deferred {waiting}.")
REASON = phrase("send_mail.reason", "{reason:sentence}")
GONE = phrase("send_mail.gone", "This email no longer exists.")
NO_SERVER = phrase("send_mail.no_server", "This site has no mail server, so nothing was sent.")

NOT_DELIVERED = "not-delivered.csv"
MOST_DROPS = 3  # in a row: then it is the server that is ill, and not one mail that it cannot bear
MOST_HANGS = 3  # and one in ten: each has kept a worker from everybody else


def _title(mailing: int) -> Phrase:
    return title_of(Mailing.get_by_id(mailing))


def title_of(mailing: Mailing) -> Phrase:
    """What its task is called: how many it goes to, and its subject."""
    number = Delivery.select().where(Delivery.mailing == mailing.id).count()
    return TITLE(number=number, subject=mailing.subject)


def submit(draft: Mailing, addresses: list[str], limit: int) -> Task:
    """Send a draft to these people, now or at its time, and return the task that does.

    When another press of the same button has just sent it, that one's task. Raises OverLimit and DraftGone, having
    done nothing.
    """
    with database.atomic():
        mail = draft.submit(addresses, limit)
        if mail is not draft:
            return Task.get_by_id(mail.task_id)
        task = send_mail.launch(draft.user, run_at=draft.send_at, mailing=draft.id)
        Mailing.update(task=task).where(Mailing.id == draft.id).execute()
    return task


def submit_test(draft: Mailing, address: str, limit: int) -> Task:
    """Send all that a draft has to its writer's own address, now; the draft stays. Raises OverLimit."""
    with database.atomic():
        test = draft.plan_test(address, limit)
        task = send_mail.launch(draft.user, mailing=test.id)
        Mailing.update(task=task).where(Mailing.id == test.id).execute()
    return task


def change(mailing: Mailing, draft: Mailing, addresses: list[str], limit: int) -> Task:
    """Put what the draft has in the place of a mail that is scheduled; without a time, it starts now.

    Raises IllegalTransition, having changed nothing, once it is not scheduled any more, OverLimit and DraftGone.
    """
    return _change(mailing, draft.send_at, lambda: mailing.replace_by(draft, addresses, limit))


def rewrite(mailing: Mailing, written: dict[str, Any], addresses: list[str], limit: int) -> Task:
    """The same with what is in these columns, where there is no draft; its files stay. Raises OverQuota as well."""
    return _change(mailing, written["send_at"], lambda: mailing.rewrite(written, addresses, limit))


def _change(mailing: Mailing, send_at: datetime | None, write: Callable[[], None]) -> Task:
    task = Task.get_by_id(mailing.task_id)
    with database.atomic():
        task.reschedule(send_at or utcnow())  # first, so that it cannot start meanwhile
        write()
        Task.update(**kept(title=title_of(mailing))).where(Task.id == task.id).execute()
        if send_at is None:
            task.retry()
    return task.reload()


@user_task(title=_title, retries=Retries(6, delay=60, longest=3600), listed=False)
def send_mail(task: Run, mailing: int) -> str:
    """Send an email to each of its recipients, and list those who didn’t get it."""
    mail = Mailing.get_or_none(Mailing.id == mailing)
    if mail is None:
        raise TaskError(GONE())
    if not is_configured():
        raise TaskError(NO_SERVER())
    demand_permission(mail, task.user)
    if not mail.html:
        mail.keep(*render_mailing(mail, task.user))
    task.total = Delivery.select().where(Delivery.mailing == mail.id).count()
    content = outgoing_mail(mail, task.user)
    rounds = task.cursor or 0  # how often it has gone through all that was left; those loops are over
    MailCount.take_over(mail, Delivery.counts(mail)[Sending.SENT])
    with SmtpSession(ahead=min(budget.AHEAD, task.total)) as session:
        try:
            for _ in range(rounds + 1):
                _go_round(task, mail, content, session)
        except (MakingWay, ShuttingDown, StopRequested):  # between two mails, and all so far is saved
            session.give_back()
            raise
    counts = Delivery.counts(mail)
    if counts[Sending.WAITING]:
        task.cursor = rounds + 1
        task.checkpoint()
        raise TemporaryError(DEFERRED(so_far=so_far(mail), waiting=counts[Sending.WAITING]))
    _list_lost(task, mail)
    words = count_words(counts, is_over=True)
    task.log(words)
    return str(words) if counts[Sending.SENT] < sum(counts.values()) else ""


tell_success_as(MAIL, send_mail.name)


def _go_round(task: Run, mail: Mailing, content: OutgoingMail, session: SmtpSession) -> None:
    """Try each that is left once. Raises a TaskError when the server does not work or has to be waited for."""
    drops, hangs, counter = 0, 0, SentCounter(mail)
    for tried, delivery in enumerate(task.each(Delivery.unsettled(mail)), 1):
        task.stage(SENDING(address=delivery.address))
        mail_pace.wait(task, session)
        if not session.is_ready:
            task.checkpoint()  # what came of the one before stands while the server is asked
        try:
            session.make_ready()
        except MailError as error:
            mail_pace.heard(task, session, error, got_further=tried > 1)
            raise _stopped_by(error, mail) from error
        if not delivery.begin(mail.user_id, daily_limit()):
            skip_or_postpone(task, mail, delivery, session)
            continue
        # With what came of the one before, in one commit: now it is on record that this one may be on its way.
        task.checkpoint()
        try:
            session.send(content, delivery.address, delivery.message_id)
        except MailError as error:
            mail_pace.heard(task, session, error, got_further=tried > 1)
            if error.unheard:
                delivery.settle(Sending.WAITING)
                task.checkpoint()
                raise _stopped_by(error, mail) from error
            drops = drops + 1 if error.connection_lost else 0
            hangs += error.timed_out
            if error.for_everybody or drops == MOST_DROPS or hangs >= max(MOST_HANGS, tried / 10):
                raise _stopped_by(error, mail) from error
            if _note(mail, delivery, error, task.is_last_attempt) == Sending.WAITING:
                task.advance(-1)  # its step comes again
        else:
            drops = 0
            delivery.settle(Sending.SENT)
            counter.add()  # in the commit that says so


def _note(mail: Mailing, delivery: Delivery, error: MailError, is_last: bool) -> Sending:
    """Record that a delivery was not made; returns its state from now on."""
    state = Sending.REFUSED if not error.may_retry else Sending.FAILED if is_last else Sending.WAITING
    delivery.settle(state, str(REASON(reason=error.reason)))
    if error.no_such_address:
        Suppression.add(mail.user_id, [delivery.address], Reason.REFUSED)
    return state


def _stopped_by(error: MailError, mail: Mailing) -> TaskError:
    words = STOPPED(reason=error.reason, so_far=so_far(mail))
    if error.after is not None:
        return Postponed(words, until=utcnow() + timedelta(seconds=error.after))
    return TemporaryError(words) if error.may_retry else TaskError(words)


def _list_lost(task: Run, mail: Mailing) -> None:
    if lost := list(Delivery.not_delivered(mail)):
        rows = [csv_row(delivery.address, delivery.error) for delivery in lost]
        task.attach(NOT_DELIVERED, "".join([csv_row("address", "reason"), *rows]))
