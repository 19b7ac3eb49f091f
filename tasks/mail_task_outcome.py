"""Mail people how their tasks have ended, if they asked for that: the first at once, what follows it together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.digest_part import DigestPart
from tasks.lib.mail_once import AFTER_PEOPLE, RETRIES, line_up, mail_once
from webapp import mail
from webapp.lib.i18n import ngettext, number
from webapp.lib.phrases import phrase
from webapp.lib.texts import shortened
from webapp.lib.times import utcnow
from webapp.mail import OutgoingMail
from webapp.models import Counted, NoticeCount, OutcomeMail, Task, User, kind_of_end
from webapp.models.notification_kinds import CANCELED, FAILED
from webapp.models.outcome_mail import MOST_IN_ONE

TITLE = phrase("mail_task_outcome.title", "Mail about tasks")
AT_MOST_EVERY = timedelta(minutes=1)  # for one person
MOST_SHOWN = 20  # tasks in one mail, each with its words and its address
NOTE_LENGTH = 300  # characters of what went wrong with each; its page has all of it


@dataclass(frozen=True)
class Ended:
    """What a mail tells of tasks that have ended: some of them, each in words and with a note, and how many `more`."""

    shown: Sequence[tuple[Task, str, str]]
    more: int
    failed: int
    number: int


@sweep_hook
def line_up_outcomes(at_once: int) -> None:
    """Start a mail for each person to whom one is due, and who has got none within AT_MOST_EVERY, nor too many."""
    ours = Task.select(Task.user).where(Task.name == mail_task_outcome.name)
    under_way = fn.EXISTS(ours.where(Task.user == User.id, Task.state.in_(ACTIVE)))
    recent = ours.where(Task.hidden, Task.finished_at > utcnow() - AT_MOST_EVERY)
    waits = NoticeCount.is_closed() | under_way | User.id.in_(recent)
    line_up(mail_task_outcome, list(OutcomeMail.mail_due(at_once).where(~waits)))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=AFTER_PEOPLE, retries=RETRIES)
def mail_task_outcome(task: Run) -> None:
    """Mail somebody how tasks of theirs have ended, unless by now these are gone or tried again, or nobody wants it."""
    if task.user.email and mail.is_configured():
        mail_once(task, Counted(OutcomeMail), "tasks", _content)
    else:
        OutcomeMail.settle_mail(task.user)


def in_digest(user: User, key: str) -> DigestPart | None:
    """What a digest says of tasks; None if nothing has ended of which they want mail. One query, two for very many."""
    ended = ended_of(user, key)
    if ended is None:
        return None
    counted = ngettext("%(num)s task ended", "%(num)s tasks ended", ended.number)
    return DigestPart("tasks", ended, "ended_tasks", "your tasks", counted, subject_of(ended))


def _content(user: User, key: str) -> OutgoingMail | None:
    ended = ended_of(user, key)
    if ended is None:
        NoticeCount.give_back(user)
        return None
    return OutgoingMail(subject_of(ended), *mail.render("stopped", user=user, tasks=ended))


def ended_of(user: User, key: str) -> Ended | None:
    """What a mail tells of that has ended and is still so; None if nothing is. One query, two for very many."""
    told = OutcomeMail.of_mail(user, key)
    found = list(told.limit(MOST_IN_ONE))
    rest = told.count() - MOST_IN_ONE if len(found) == MOST_IN_ONE else 0
    wanted = [task for task in found if user.wants_email_about(kind_of_end(task), task.run_seconds)]
    if not wanted:
        return None
    shown = [(task, _title(task), _note(task)) for task in wanted[:MOST_SHOWN]]
    failed = sum(kind_of_end(task) == FAILED for task in wanted)
    return Ended(shown, len(wanted) + rest - len(shown), failed, len(wanted) + rest)


def subject_of(ended: Ended) -> str:
    """What has ended, in our words alone: titles have what people typed, and names of files that others chose."""
    if ended.number == 1:
        return kind_of_end(ended.shown[0][0]).mail_subject
    if any(kind_of_end(task) == CANCELED for task, *_ in ended.shown):
        return ngettext("%(num)s task ended", "%(num)s tasks ended", ended.number)
    finished = ended.number - ended.failed
    if not ended.failed:
        return ngettext("%(num)s task finished", "%(num)s tasks finished", finished)
    words = ngettext("%(num)s task failed", "%(num)s tasks failed", ended.failed)
    return f"{words}, {number(finished)} finished" if finished else words


def _title(task: Task) -> str:
    return f"{task.title_words()} {kind_of_end(task).mailed}"


def _note(task: Task) -> str:
    """What went wrong, or whom a mail did not reach."""
    detail = kind_of_end(task).detail
    return shortened(str(detail(task)), NOTE_LENGTH) if detail else ""
