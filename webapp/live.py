"""What is live on every page: the alerts of a person's tasks, their unread messages, and one sentence about it."""

from dataclasses import dataclass
from uuid import UUID

from peewee import Case

from webapp.models import Artifact, Notice, Notification, State, Task, User, line
from webapp.models.line import Place
from webapp.models.state import FINISHED, HELD

MOST_ALERTS = 5
ON_TASK_LIST = "tasks"

OUTCOMES = {
    State.PAUSED: "{} is paused.",
    State.RETRYING: "{} did not work, and will be tried again.",
    State.SUCCEEDED: "{} is finished.",
    State.FAILED: "{} has failed.",
    State.CANCELED: "{} was canceled.",
}


@dataclass(frozen=True)
class Live:
    """One moment of the live part of a page. `on` names the tasks that the page itself shows, and so no alert does."""

    on: str
    alerts: dict[Task, list[Artifact]]
    places: dict[UUID, Place]
    more: int
    unread: int
    notices: int
    status: str


def live_of(user: User, on: str = "") -> Live:
    """The live part for a person on a page. At most seven queries, whatever they have running.

    `on` is empty or what `place` allows.
    """
    query = Task.of(user).where(Task.dismissed_at.is_null())
    # What moves comes first, then what waits, then what has ended, then what is for later; the newest of each.
    rank = Case(None, [(Task.state.in_(HELD), 0), (Task.state.in_(FINISHED), 2), (Task.state == State.SCHEDULED, 3)], 1)
    query = query.order_by(rank, Task.created_at.desc(), Task.id)
    found = list(query.limit(MOST_ALERTS + 2))  # one to know that there are more, one that the page itself shows
    others = [] if on == ON_TASK_LIST else [task for task in found if str(task.id) != on]
    shown = others[:MOST_ALERTS]
    more = query.where(Task.id != UUID(on) if on else True).count() - MOST_ALERTS if len(others) > MOST_ALERTS else 0
    unread, notices = Notification.unread_messages(user), Notice.unread(user)
    return Live(on, Artifact.completed(shown), line.places(shown), more, unread, notices, _status(found))


def _status(tasks: list[Task]) -> str:
    """What a screen reader should say when it changes: the latest outcome, and not every percent."""
    outcomes = [task for task in tasks if task.state in OUTCOMES]
    if outcomes:
        latest = max(outcomes, key=lambda task: task.updated_at)
        return OUTCOMES[latest.state].format(latest.title)
    return f"{len(tasks) if len(tasks) <= MOST_ALERTS else 'Many'} under way." if tasks else ""


def place(text: str) -> str:
    """What a poll may name as its page: a task's id or ON_TASK_LIST. Raises ValueError for anything else."""
    return text if text == ON_TASK_LIST else str(UUID(text))
