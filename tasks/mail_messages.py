"""Mail people what others wrote to them and they have not read some minutes later: one mail for all of it, once."""

from typing import Any

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.mail_once import AFTER_PEOPLE, RETRIES, line_up, mail_once
from webapp import mail
from webapp.lib.i18n import ngettext
from webapp.lib.phrases import phrase
from webapp.mail import OutgoingMail
from webapp.models import Message, Task, User
from webapp.models.notification_kinds import MESSAGE

TITLE = phrase("mail_messages.title", "Mail about messages")
MOST_NAMES = 3
MOST_LINES = 3  # of each person
MOST_READ = 100  # messages, to find these lines in
LINE_LENGTH = 200


@sweep_hook
def line_up_messages(at_once: int) -> None:
    """Start a mail for each person to whom one is due."""
    under_way = Task.user == User.id, Task.name == mail_messages.name, Task.state.in_(ACTIVE)
    line_up(mail_messages, list(Message.mail_due(at_once).where(~fn.EXISTS(Task.select(Task.id).where(*under_way)))))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=AFTER_PEOPLE, retries=RETRIES)
def mail_messages(task: Run) -> None:
    """Mail somebody what they have not read, unless by now they have, or want no mail any more."""
    if task.user.wants_email_about(MESSAGE) and mail.is_configured():
        mail_once(task, Message, "messages", _content)
    else:
        Message.settle_mail(task.user)


def _content(user: User, key: str) -> OutgoingMail | None:
    """The mail about what is still unread of it; None when all has been read. Two queries."""
    unread = Message.of_mail(user, key)
    rows: Any = unread.select(User.username, fn.COUNT(Message.id)).join(User, on=Message.sender == User.id)
    counts = dict(rows.group_by(User.username).order_by(fn.MIN(Message.id)).tuples())
    if not counts:
        return None
    lines: dict[str, list[str]] = {name: [] for name in counts}
    for message in unread.select(Message, User).join(User, on=Message.sender == User.id).limit(MOST_READ):
        said = lines[message.sender.username]
        if len(said) < MOST_LINES:
            said.append(_first_line(message.body))
    number = sum(counts.values())
    people = _in_words(list(counts))
    words = ngettext(
        "%(num)s new message from %(people)s", "%(num)s new messages from %(people)s", number, people=people
    )
    return OutgoingMail(words, *mail.render("messages", user=user, words=words, counts=counts, lines=lines))


def _in_words(names: list[str]) -> str:
    if len(names) > MOST_NAMES:
        others = len(names) - MOST_NAMES + 1
        names = [*names[: MOST_NAMES - 1], ngettext("%(num)s other", "%(num)s others", others)]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _first_line(body: str) -> str:
    text = " ".join(body.split())
    return text if len(text) <= LINE_LENGTH else f"{text[: LINE_LENGTH - 1].rstrip()}…"
