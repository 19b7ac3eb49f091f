"""What is live on every page: the alerts of a person's tasks, their unread messages, and one sentence about it."""

from dataclasses import dataclass
from uuid import UUID

from webapp.models import Artifact, Notification, State, Task, User

MOST_ALERTS = 5
ON_TASK_LIST = "tasks"

OUTCOMES = {
    State.SUCCEEDED: "{} is finished.",
    State.FAILED: "{} has failed.",
    State.CANCELED: "{} was canceled.",
}


@dataclass(frozen=True)
class Live:
    """One moment of the live part of a page. `on` names the tasks that the page itself shows, and so no alert does."""

    on: str
    alerts: dict[Task, list[Artifact]]
    more: int
    unread: int

    @property
    def status(self) -> str:
        """What a screen reader should say when it changes: the latest outcome, and not every percent."""
        outcomes = [task for task in self.alerts if task.is_finished]
        if outcomes:
            latest = max(outcomes, key=lambda task: task.finished_at or task.created_at)
            return OUTCOMES[latest.state].format(latest.title)
        return f"{len(self.alerts)} in progress." if self.alerts else ""


def live_of(user: User, on: str = "") -> Live:
    """The live part for a person on a page. At most four queries, whatever they have running.

    `on` is empty or what `place` allows.
    """
    return Live(on, *_alerts(user, on), Notification.unread_messages(user))


def place(text: str) -> str:
    """What a poll may name as its page: a task's id or ON_TASK_LIST. Raises ValueError for anything else."""
    return text if text == ON_TASK_LIST else str(UUID(text))


def _alerts(user: User, on: str) -> tuple[dict[Task, list[Artifact]], int]:
    """The alerts to show and how many more there are: what is under way first, then the newest."""
    if on == ON_TASK_LIST:
        return {}, 0
    query = Task.select().where(Task.user == user, Task.dismissed_at.is_null())
    if on:
        query = query.where(Task.id != UUID(on))
    query = query.order_by(Task.finished_at.is_null(False), Task.created_at.desc(), Task.id)
    found = list(query.limit(MOST_ALERTS + 1))  # one to know that there are more
    shown = found[:MOST_ALERTS]
    return Artifact.completed(shown), query.count() - MOST_ALERTS if len(found) > MOST_ALERTS else 0
