"""The tray: alerts of a person's tasks, unread counts, and announcements for screen readers, live on every page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tasks.engine.models import fair_queue
from tasks.engine.models.fair_queue import QueuePosition
from webapp.lib.times import utcnow
from webapp.models import Artifact, Notification, State, Task, User
from webapp.models.alerts import NO_TASK, count_alerts, latest_alerts
from webapp.web.dom import dom_id
from webapp.web.presenters.state_words import STATE_WORDS, first_announced_as

MAX_ALERTS = 5
TASK_LIST = "tasks"

# Older news is not announced: even a hidden page polls once a minute.
ANNOUNCED_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class Announcement:
    """A sentence for screen readers. `id` is that of its element: while that stays, it is not said again."""

    id: str
    text: str


@dataclass(frozen=True)
class Tray:
    """The live part of a page at one moment. The tasks that the page itself shows have no alert (`page_shows`)."""

    page_shows: str
    alerts: dict[Task, list[Artifact]]
    positions: dict[UUID, QueuePosition]
    more: int
    unread: int
    notifications: int
    announcements: list[Announcement]

    def next_after(self, closed: Task) -> Task | None:
        """The task whose alert gets the focus when that one is closed: the next closable one, else the one before."""
        tasks = list(self.alerts)
        if closed not in tasks:
            return None
        here = tasks.index(closed)
        return next((task for task in tasks[here + 1 :] + tasks[:here][::-1] if task.can("dismiss")), None)


def tray_for(user: User, page_shows: str = "") -> Tray:
    """The tray of a person on a page. At most seven queries, each by index, however many tasks they have.

    `page_shows` says which tasks the page itself shows: a task's id, TASK_LIST, or nothing.
    """
    found = latest_alerts(user, MAX_ALERTS + 2)  # one to know that there are more, one that the page itself shows
    others = [] if page_shows == TASK_LIST else [task for task in found if str(task.id) != page_shows]
    shown = others[:MAX_ALERTS]
    more = 0
    if len(others) > MAX_ALERTS:
        more = count_alerts(user, UUID(page_shows) if page_shows else NO_TASK) - MAX_ALERTS
    unread, notifications = Notification.badges(user)
    alerts, positions = Artifact.completed(shown), fair_queue.positions(shown)
    return Tray(page_shows, alerts, positions, more, unread, notifications, _announcements(user, found, unread))


def _announcements(user: User, tasks: list[Task], unread: int) -> list[Announcement]:
    """What has just become of tasks, and who wrote; no percentages.

    Nothing old, so that nothing comes back and is announced again when something newer goes.
    """
    since = utcnow() - ANNOUNCED_FOR
    moved = [
        Announcement(dom_id(task, f"said-{first_announced_as(task.state)}"), announcement.format(task.title_words()))
        for task in tasks
        if _moved_at(task) > since and (announcement := STATE_WORDS[task.state].announcement)
    ]
    wrote = Notification.writers(user, since) if unread else []
    # Ids may be reused once their rows are deleted; a moment is not.
    return moved + [
        Announcement(dom_id(said, f"said-{said.told_at:%H%M%S%f}"), f"New message from {name}.") for said, name in wrote
    ]


def _moved_at(task: Task) -> datetime:
    """When a task came into its state. `updated_at` says so except for a running task, whose progress changes it."""
    return (task.started_at if task.state == State.IN_PROGRESS else task.finished_at) or task.updated_at


def task_card(task: Task | None) -> dict[str, Any]:
    """The template context of a live card of a task, shown by `{% include "tasks/_card.html" %}`. Two queries.

    Takes None if the page has no task yet. `page_shows` keeps the task out of the alerts beside it.
    """
    if task is None:
        return {"task": None, "page_shows": ""}
    artifacts, positions = Artifact.completed([task])[task], fair_queue.positions([task])
    return {"task": task, "page_shows": str(task.id), "artifacts": artifacts, "positions": positions}


def parse_page_shows(text: str) -> str:
    """Validates what a poll says that its page shows: a task's id or TASK_LIST. Raises ValueError for anything else."""
    return text if text == TASK_LIST else str(UUID(text))
