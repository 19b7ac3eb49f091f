"""Mail people all that came too often to be mailed one by one, as one digest, once the hour is over."""

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.digest_part import DigestPart
from tasks.lib.mail_once import AFTER_PEOPLE, RETRIES, line_up, mail_once
from tasks.mail_messages import in_digest as of_messages
from tasks.mail_task_outcome import in_digest as of_tasks
from webapp import mail
from webapp.lib.phrases import phrase
from webapp.mail import OutgoingMail
from webapp.models import Digest, NoticeCount, Task, User

TITLE = phrase("mail_digest.title", "Digest by mail")
PARTS = (
    of_tasks,
    of_messages,
)


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
    parts = [part for part_of in PARTS if (part := part_of(user, key))]
    if not parts:
        return None
    news = {part.name: part.news for part in parts}
    return OutgoingMail(_subject(parts), *mail.render("digest", user=user, parts=parts, **news))


def _subject(parts: list[DigestPart]) -> str:
    return parts[0].subject if len(parts) == 1 else ", ".join(part.counted for part in parts)
