"""Mail people how their tasks have ended, if they asked for that: the first at once, what follows it together."""

from datetime import timedelta

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.mail_once import AFTER_PEOPLE, RETRIES, line_up, mail_once
from webapp import mail
from webapp.lib.i18n import ngettext, number
from webapp.lib.phrases import phrase
from webapp.lib.times import utcnow
from webapp.mail import OutgoingMail
from webapp.mail.headers import one_line
from webapp.models import OutcomeMail, Task, User, kind_of_end
from webapp.models.notification_kinds import FAILED

TITLE = phrase("mail_task_outcome.title", "Mail about tasks")
AT_MOST_EVERY = timedelta(minutes=1)  # for one person
MOST_SHOWN = 20  # tasks in one mail, each with its words and its address


@sweep_hook
def line_up_outcomes(at_once: int) -> None:
    """Start a mail for each person to whom one is due, and who has got none within AT_MOST_EVERY."""
    ours = Task.select(Task.user).where(Task.name == mail_task_outcome.name)
    under_way = fn.EXISTS(ours.where(Task.user == User.id, Task.state.in_(ACTIVE)))
    recent = ours.where(Task.hidden, Task.finished_at > utcnow() - AT_MOST_EVERY)
    line_up(mail_task_outcome, list(OutcomeMail.mail_due(at_once).where(~under_way, User.id.not_in(recent))))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=AFTER_PEOPLE, retries=RETRIES)
def mail_task_outcome(task: Run) -> None:
    """Mail somebody how tasks of theirs have ended, unless by now these are gone or tried again, or nobody wants it."""
    if task.user.email and mail.is_configured():
        mail_once(task, OutcomeMail, "tasks", _content)
    else:
        OutcomeMail.settle_mail(task.user)


def _content(user: User, key: str) -> OutgoingMail | None:
    """The mail about what has ended and is still so; None if nothing is. One query."""
    ended = [
        task for task in OutcomeMail.of_mail(user, key) if user.wants_email_about(kind_of_end(task), task.run_seconds)
    ]
    if not ended:
        return None
    subject = one_line(_title(ended[0]) if len(ended) == 1 else _counted(ended))
    shown = [(task, _title(task), _note(task)) for task in ended[:MOST_SHOWN]]
    return OutgoingMail(subject, *mail.render("stopped", user=user, ended=shown, more=len(ended) - len(shown)))


def _title(task: Task) -> str:
    return f"{task.title_words()} {kind_of_end(task).mailed}"


def _note(task: Task) -> str:
    """What went wrong, or whom a mail did not reach."""
    detail = kind_of_end(task).detail
    return str(detail(task)) if detail else ""


def _counted(ended: list[Task]) -> str:
    failed = sum(kind_of_end(task) == FAILED for task in ended)
    finished = len(ended) - failed
    if not failed:
        return ngettext("%(num)s task finished", "%(num)s tasks finished", finished)
    words = ngettext("%(num)s task failed", "%(num)s tasks failed", failed)
    return f"{words}, {number(finished)} finished" if finished else words
