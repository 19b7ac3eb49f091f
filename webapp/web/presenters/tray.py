"""What is live on every page: the alerts of a person's tasks, their unread messages, and what is said of news."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from peewee import Case

from webapp.lib.times import utcnow
from webapp.models import Artifact, Notice, Notification, State, Task, User
from webapp.models.task import fair_queue
from webapp.models.task.fair_queue import QueuePosition
from webapp.models.task.state import ACTIVE, LEASED
from webapp.web.dom import dom_id

if TYPE_CHECKING:
    from peewee import ModelSelect

MOST_ALERTS = 5
ON_TASK_LIST = "tasks"

# What is older is no news to anybody: a page that is out of sight asks at least once a minute.
NEWS_FOR = timedelta(minutes=2)

# What is said of a task to whoever cannot see it, once for each of these; of what waits for a worker, the same as of
# what has one.
SAID = {
    State.SCHEDULED: "{} is scheduled.",
    State.PENDING: "{} has started.",
    State.IN_PROGRESS: "{} has started.",
    State.PAUSING: "Pausing {}.",
    State.PAUSED: "{} is paused.",
    State.RETRYING: "{} failed and will be retried.",
    State.CANCELING: "Canceling {}.",
    State.SUCCEEDED: "{} finished.",
    State.FAILED: "{} failed.",
    State.CANCELED: "{} was canceled.",
}


@dataclass(frozen=True)
class Said:
    """A sentence for screen readers. `id` is that of its element: while it stays, the sentence is not said again."""

    id: str
    words: str


@dataclass(frozen=True)
class Live:
    """One moment of the live part of a page. `on` names the tasks that the page itself shows, and so no alert does."""

    on: str
    alerts: dict[Task, list[Artifact]]
    places: dict[UUID, QueuePosition]
    more: int
    unread: int
    notices: int
    status: list[Said]

    def next_to(self, closed: Task) -> Task | None:
        """Whose alert is closed next by whoever closes that one: the next, or else the last before it; None if none."""
        tasks = list(self.alerts)
        if closed not in tasks:
            return None
        here = tasks.index(closed)
        return next((task for task in tasks[here + 1 :] + tasks[:here][::-1] if task.can("dismiss")), None)


def live_of(user: User, on: str = "") -> Live:
    """The live part for a person on a page. At most eight queries, whatever they have running.

    `on` is empty or what `place` allows.
    """
    found = _latest(user, MOST_ALERTS + 2)  # one to know that there are more, one that the page itself shows
    others = [] if on == ON_TASK_LIST else [task for task in found if str(task.id) != on]
    shown = others[:MOST_ALERTS]
    more = _open(user).where(Task.id != UUID(on) if on else True).count() if len(others) > MOST_ALERTS else MOST_ALERTS
    unread, notices = Notification.unread_messages(user), Notice.unread(user)
    alerts, places = Artifact.completed(shown), fair_queue.positions(shown)
    return Live(on, alerts, places, more - MOST_ALERTS, unread, notices, _status(user, found, unread))


def _open(user: User) -> "ModelSelect[Task]":
    """The tasks whose alerts this person has not closed."""
    return Task.of(user).where(Task.dismissed_at.is_null())


def _latest(user: User, most: int) -> list[Task]:
    """What runs, then what is next in line, then what has ended, the latest end first, then what is for later.

    One query as long as so much is under way, else two; by index however much has ended.
    """
    is_later = Case(None, [(Task.state == State.SCHEDULED, 1)], 0)
    waits = Case(None, [(Task.state.in_(sorted(LEASED)), 0), (Task.queue_key.is_null(), 2)], 1)
    active = _open(user).where(Task.state.in_(sorted(ACTIVE)))
    first = list(active.order_by(is_later, waits, Task.queue_key, Task.created_at, Task.id).limit(most))
    now = [task for task in first if task.state != State.SCHEDULED]
    if len(now) == most:
        return now
    later = [task for task in first if task.state == State.SCHEDULED]
    return [*now, *_ended(user).limit(most), *later][:most]


def _ended(user: User) -> "ModelSelect[Task]":
    return _open(user).where(Task.finished_at.is_null(False)).order_by(Task.finished_at.desc())


def _status(user: User, tasks: list[Task], unread: int) -> list[Said]:
    """What a screen reader should say when it comes: what has just become of a task, and who wrote; no percents.

    Nothing here is old, so that nothing comes back and is said anew when something newer goes.
    """
    since = utcnow() - NEWS_FOR
    moved = [
        Said(dom_id(task, _matter(task)), SAID[task.state].format(task.title))
        for task in tasks
        if _moved_at(task) > since and task.state in SAID
    ]
    wrote = Notice.writers(user, since) if unread else []
    # Ids may come again, once their rows are deleted; a moment does not.
    return moved + [
        Said(dom_id(notice, f"said-{notice.created_at:%H%M%S%f}"), f"New message from {name}.")
        for notice, name in wrote
    ]


def _matter(task: Task) -> str:
    return "said-" + (State.PENDING if task.state == State.IN_PROGRESS else task.state).value


def _moved_at(task: Task) -> datetime:
    """When it came into its state: `updated_at` tells that of all but what gets further."""
    return (task.started_at if task.state == State.IN_PROGRESS else task.finished_at) or task.updated_at


def task_card(task: Task | None) -> dict[str, Any]:
    """What a template needs to show a person's task live, by `{% include "tasks/_card.html" %}`; two queries.

    A page that has none to show yet gives None. `live_on` is for the alerts, which leave that task out.
    """
    if task is None:
        return {"task": None, "live_on": ""}
    artifacts, places = Artifact.completed([task])[task], fair_queue.positions([task])
    return {"task": task, "live_on": str(task.id), "artifacts": artifacts, "places": places}


def place(text: str) -> str:
    """What a poll may name as its page: a task's id or ON_TASK_LIST. Raises ValueError for anything else."""
    return text if text == ON_TASK_LIST else str(UUID(text))
