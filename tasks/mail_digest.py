"""Mail people all that came too often to be mailed one by one, as one digest, once the hour is over."""

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.mail_once import AFTER_PEOPLE, RETRIES, line_up, mail_once
from tasks.mail_messages import Unread, unread_of
from tasks.mail_messages import subject_of as subject_of_messages
from tasks.mail_task_outcome import Ended, ended_of
from tasks.mail_task_outcome import subject_of as subject_of_tasks
from webapp import mail
from webapp.lib.i18n import ngettext
from webapp.lib.phrases import phrase
from webapp.mail import OutgoingMail
from webapp.models import Digest, NoticeCount, Task, User
from webapp.models.notification_kinds import MESSAGE

TITLE = phrase("mail_digest.title", "Digest by mail")


@sweep_hook
def line_up_digests(at_once: int) -> None:
    """Start a digest for each person whose hour is over."""
    under_way = Task.user == User.id, Task.name == mail_digest.name, Task.state.in_(ACTIVE)
    due = NoticeCount.digests_due(at_once).where(~fn.EXISTS(Task.select(Task.id).where(*under_way)))
    line_up(mail_digest, list(due))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=AFTER_PEOPLE, retries=RETRIES)
def mail_digest(task: Run) -> None:
    """Mail somebody what has waited for the end of the hour, of that what is still so and they still want."""
    if task.user.email and mail.is_configured():
        mail_once(task, Digest, "tasks and messages", _content)
    else:
        Digest.settle_mail(task.user)


def _content(user: User, key: str) -> OutgoingMail | None:
    ended = ended_of(user, key)
    unread = unread_of(user, key) if user.wants_email_about(MESSAGE) else None
    if ended is None and unread is None:
        return None
    return OutgoingMail(_subject(ended, unread), *mail.render("digest", user=user, tasks=ended, unread=unread))


def _subject(ended: Ended | None, unread: Unread | None) -> str:
    if ended and unread:
        tasks = ngettext("%(num)s task ended", "%(num)s tasks ended", ended.number)
        return f"{tasks}, {ngettext('%(num)s new message', '%(num)s new messages', unread.number)}"
    return subject_of_tasks(ended) if ended else subject_of_messages(unread) if unread else ""
