"""Mail people what others wrote to them and they have not read some minutes later: one mail for all of it, once.

Whether it was sent is on record as it is for a mail to many: just before it is given to the mail server each message
gets the mail's name, its Message-ID, and after that it is settled. So a run that goes on after one that died repeats at
most the mail that was in flight, by the same Message-ID, and nothing that is settled.
"""

import logging
from contextlib import suppress
from typing import Any

from peewee import fn

from tasks.engine import Retries, Run, TemporaryError, duty, user_task
from webapp import mailer
from webapp.mailer import Letter, Line, MailError
from webapp.models import AlreadyRunning, Message, NoticeKind, Task, User
from webapp.models.state import ACTIVE

log = logging.getLogger(__name__)

MOST_NAMES = 3
MOST_LINES = 3  # of each person
MOST_READ = 100  # messages, to find these lines in
LINE_LENGTH = 200


@duty
def line_up(at_once: int) -> None:
    """Start a mail for each person to whom one is due; whoever has one under way is left to that."""
    under_way = Task.user == User.id, Task.name == mail_messages.name, Task.state.in_(ACTIVE)
    for user in list(Message.mail_due(at_once).where(~fn.EXISTS(Task.select(Task.id).where(*under_way)))):
        with suppress(AlreadyRunning):  # by another leader, just now
            mail_messages.launch(user)


# Whatever goes wrong is tried again after a while, and at longest until the next `line_up` starts anew. What people
# have started goes before: where the mail server hangs, each of these takes its time.
@user_task(
    title="Mail about messages", one_at_a_time=True, quiet=True, priority=-1,
    retries=Retries(6, delay=60, longest=3600, on=(Exception,)),
)  # fmt: skip
def mail_messages(task: Run) -> None:
    """Mail somebody what they have not read, unless by now they have, or want no mail any more."""
    user = task.user
    if not (user.hears_by_mail(NoticeKind.MESSAGE) and mailer.is_set_up()):
        Message.settle_mail(user)
        return
    with Line() as line:
        try:
            line.make_ready()
        except MailError as error:
            raise TemporaryError(str(error)) from error
        key = Message.begin_mail(user)
        task.checkpoint()  # a run that has lost its task sends nothing
        letter = _letter(user, key) if key else None
        if key and letter:
            _send(task, line, letter, key)


def _send(task: Run, line: Line, letter: Letter, key: str) -> None:
    try:
        line.send(letter, task.user.email, key)
    except MailError as error:
        if error.dropped:
            raise TemporaryError(str(error)) from error  # it may have arrived: so it is the same mail again
        if error.for_all or (error.may_pass and not task.is_last_attempt):
            Message.put_mail_off(task.user, key)
            raise TemporaryError(str(error)) from error
        log.warning("%s is not mailed about messages: %s", task.user.username, error)
    Message.settle_mail(task.user, key)


def _letter(user: User, key: str) -> Letter | None:
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
    words = f"{number:,} message{'s' if number > 1 else ''} from {_in_words(list(counts))}"
    return Letter(words, *mailer.render("messages", user=user, words=words, counts=counts, lines=lines))


def _in_words(names: list[str]) -> str:
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], f"{len(names) - MOST_NAMES + 1:,} others"]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _first_line(body: str) -> str:
    text = " ".join(body.split())
    return text if len(text) <= LINE_LENGTH else f"{text[: LINE_LENGTH - 1].rstrip()}…"
