"""Mail people what others wrote to them and they have not read some minutes later: one mail for all of it, once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.digest_part import DigestPart
from tasks.lib.mail_once import AFTER_PEOPLE, RETRIES, line_up, mail_once
from webapp import mail
from webapp.lib.i18n import ngettext
from webapp.lib.phrases import phrase
from webapp.lib.texts import shortened
from webapp.mail import OutgoingMail
from webapp.models import Counted, Message, NoticeCount, Task, User
from webapp.models.notification_kinds import MESSAGE
from webapp.models.user_row import DELETED

TITLE = phrase("mail_messages.title", "Mail about messages")
MOST_NAMES = 3
MOST_PEOPLE = 10  # with their lines; of the others it says how many wrote how much
MOST_LINES = 3  # of each person
MOST_READ = 100  # messages, to find these lines in
LINE_LENGTH = 200


@dataclass(frozen=True)
class Unread:
    """What a mail tells of messages: how many there are, in words, and from whom; how many each of the first people
    wrote, with the beginnings of some; and how many wrote besides, and how much."""

    number: int
    words: str
    counts: Mapping[str, int]
    lines: Mapping[str, Sequence[str]]
    more_people: int
    more: int

    @staticmethod
    def can_reply(name: str) -> bool:
        """Whether there is a conversation to lead to by that name."""
        return name != DELETED


@sweep_hook
def line_up_messages(at_once: int) -> None:
    """Start a mail for each person to whom one is due, and who has not got too many."""
    under_way = Task.user == User.id, Task.name == mail_messages.name, Task.state.in_(ACTIVE)
    waits = NoticeCount.is_closed() | fn.EXISTS(Task.select(Task.id).where(*under_way))
    line_up(mail_messages, list(Message.mail_due(at_once).where(~waits)))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=AFTER_PEOPLE, retries=RETRIES)
def mail_messages(task: Run) -> None:
    """Mail somebody what they have not read, unless by now they have, or want no mail any more."""
    if task.user.wants_email_about(MESSAGE) and mail.is_configured():
        mail_once(task, Counted(Message), "messages", _content)
    else:
        Message.settle_mail(task.user)


def in_digest(user: User, key: str) -> DigestPart | None:
    """What a digest says of messages; None when all has been read, or they want no mail about any. Two queries."""
    unread = unread_of(user, key) if user.wants_email_about(MESSAGE) else None
    if unread is None:
        return None
    counted = ngettext("%(num)s new message", "%(num)s new messages", unread.number)
    return DigestPart("unread", unread, "unread_messages", "messages", counted, subject_of(unread))


def _content(user: User, key: str) -> OutgoingMail | None:
    unread = unread_of(user, key)
    if unread is None:
        NoticeCount.give_back(user)
        return None
    return OutgoingMail(subject_of(unread), *mail.render("messages", user=user, unread=unread))


def unread_of(user: User, key: str) -> Unread | None:
    """What a mail tells of that is still unread; None when all has been read. Two queries."""
    unread = Message.of_mail(user, key)
    senders = unread.join(User, on=Message.sender == User.id).group_by(User.id).order_by(fn.MIN(Message.id))
    rows: Any = senders.select(User.username, User.deletion_due_at, fn.COUNT(Message.id)).tuples()
    counts: Counter[str] = Counter()  # deleted accounts are one
    for username, deletion_due_at, number_of_theirs in rows:
        counts[User(username=username, deletion_due_at=deletion_due_at).shown_name] += number_of_theirs
    if not counts:
        return None
    shown = dict(list(counts.items())[:MOST_PEOPLE])
    lines: dict[str, list[str]] = {name: [] for name in shown}
    for message in unread.select(Message, User).join(User, on=Message.sender == User.id).limit(MOST_READ):
        said = lines.get(message.sender.shown_name)
        if said is not None and len(said) < MOST_LINES:
            said.append(shortened(message.body, LINE_LENGTH))
    number = sum(counts.values())
    words = ngettext(
        "%(num)s new message from %(people)s",
        "%(num)s new messages from %(people)s",
        number,
        people=_in_words(list(counts)),
    )
    return Unread(number, words, shown, lines, len(counts) - len(shown), number - sum(shown.values()))


def subject_of(unread: Unread) -> str:
    """How many there are. Not from whom: people choose what they are called."""
    return ngettext("You have %(num)s new message", "You have %(num)s new messages", unread.number)


def _in_words(names: list[str]) -> str:
    if len(names) > MOST_NAMES:
        others = len(names) - MOST_NAMES + 1
        names = [*names[: MOST_NAMES - 1], ngettext("%(num)s other", "%(num)s others", others)]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
