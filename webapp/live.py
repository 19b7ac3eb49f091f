"""What is live on every page: the alerts of a person's tasks, their unread messages, and one sentence about it."""

from dataclasses import dataclass

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
    """The live part for a person on a page. At most four queries, whatever they have running."""
    return Live(on, *_alerts(user, on), Notification.unread_messages(user))


def _alerts(user: User, on: str) -> tuple[dict[Task, list[Artifact]], int]:
    """The alerts to show and how many more there are: what is under way first, then the newest."""
    if on == ON_TASK_LIST:
        return {}, 0
    query = Task.select().where(Task.user == user, Task.dismissed_at.is_null())
    query = query.order_by(Task.finished_at.is_null(False), Task.created_at.desc(), Task.id)
    found = list(query.limit(MOST_ALERTS + 2))  # one to know that there are more, one that the page itself shows
    others = [task for task in found if str(task.id) != on]
    shown = others[:MOST_ALERTS]
    more = query.count() - len(shown) - (len(others) < len(found)) if len(others) > MOST_ALERTS else 0
    return Artifact.completed(shown), more
