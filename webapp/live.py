"""What is live on every page: the alerts of a person's tasks, their unread messages, and one sentence about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from peewee import Case

from webapp.models import Artifact, Notice, Notification, State, Task, User, line
from webapp.models.line import Place
from webapp.models.state import ACTIVE, HELD

if TYPE_CHECKING:
    from peewee import ModelSelect

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
    found = _latest(user, MOST_ALERTS + 2)  # one to know that there are more, one that the page itself shows
    others = [] if on == ON_TASK_LIST else [task for task in found if str(task.id) != on]
    shown = others[:MOST_ALERTS]
    more = _open(user).where(Task.id != UUID(on) if on else True).count() if len(others) > MOST_ALERTS else MOST_ALERTS
    unread, notices = Notification.unread_messages(user), Notice.unread(user)
    alerts, places = Artifact.completed(shown), line.places(shown)
    return Live(on, alerts, places, more - MOST_ALERTS, unread, notices, _status(found))


def _open(user: User) -> "ModelSelect[Task]":
    """The tasks whose alerts this person has not closed."""
    return Task.of(user).where(Task.dismissed_at.is_null())


def _latest(user: User, most: int) -> list[Task]:
    """What runs, then what is next in line, then what has ended, the latest end first, then what is for later.

    One query as long as so much is under way, else two; by index however much has ended.
    """
    is_later = Case(None, [(Task.state == State.SCHEDULED, 1)], 0)
    waits = Case(None, [(Task.state.in_(sorted(HELD)), 0), (Task.turn.is_null(), 2)], 1)
    active = _open(user).where(Task.state.in_(sorted(ACTIVE)))
    first = list(active.order_by(is_later, waits, Task.turn, Task.created_at, Task.id).limit(most))
    now = [task for task in first if task.state != State.SCHEDULED]
    if len(now) == most:
        return now
    later = [task for task in first if task.state == State.SCHEDULED]
    return [*now, *_ended(user).limit(most), *later][:most]


def _ended(user: User) -> "ModelSelect[Task]":
    return _open(user).where(Task.finished_at.is_null(False)).order_by(Task.finished_at.desc())


def _status(tasks: list[Task]) -> str:
    """What a screen reader should say when it changes: the latest outcome, and not every percent."""
    outcomes = [task for task in tasks if task.state in OUTCOMES]
    if outcomes:
        latest = max(outcomes, key=lambda task: task.updated_at)
        return OUTCOMES[latest.state].format(latest.title)
    return f"{len(tasks) if len(tasks) <= MOST_ALERTS else 'Many'} under way." if tasks else ""


def task_card(task: Task | None) -> dict[str, Any]:
    """What a template needs to show a person's task live, by `{% include "tasks/_card.html" %}`; two queries.

    A page that has none to show yet gives None. `live_on` is for the alerts, which leave that task out.
    """
    if task is None:
        return {"task": None, "live_on": ""}
    artifacts, places = Artifact.completed([task])[task], line.places([task])
    return {"task": task, "live_on": str(task.id), "artifacts": artifacts, "places": places}


def place(text: str) -> str:
    """What a poll may name as its page: a task's id or ON_TASK_LIST. Raises ValueError for anything else."""
    return text if text == ON_TASK_LIST else str(UUID(text))
