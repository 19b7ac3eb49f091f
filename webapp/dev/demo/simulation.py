"""Backdating: what was just done is moved to where it belongs in the past."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tasks.engine.config import config
from tasks.engine.models.state import LEASED
from webapp.dev.demo.fake_smtp import FakeSmtp
from webapp.dev.demo.timeline import Event
from webapp.models import Artifact, Delivery, MailCount, Mailing, NoticeCount, Notification, Task, TaskEvent

STARTED = ("started", "in_progress")  # kinds of timeline events, of tasks and of workflows
QUEUED_FOR = timedelta(seconds=0.3)  # at most
READ_BEFORE = timedelta(hours=20)  # what has ended longer ago has been read, and its alert closed


class Simulation:
    """Tells what happened up to the moment `now`, and moves what was just done to when it should have happened."""

    def __init__(self, now: datetime, smtp: FakeSmtp) -> None:
        self.now, self.smtp = now, smtp

    def event(self, at: datetime, story: Callable[[datetime], object]) -> Event:
        """An event that does what `story` does, given its moment."""
        return Event(at, partial(story, at))

    def backdate(self, task: Task, at: datetime, *took: float) -> None:
        """Mapping a task, and all that came of it, to where it started `at` and ran for `took` seconds.

        Of a workflow, the children that have run took so long each, one after the other. The timeline, artifacts,
        notifications and mails move along. The notifications of what ended long ago have been read.
        """
        begun, left = at, list(took)
        for child in task.children():
            seconds = left.pop(0) if child.started_at else 0.0
            self.backdate(child, begun, seconds)
            begun += timedelta(seconds=seconds)
        self._backdate(task.reload(), at, sum(took))

    def _backdate(self, task: Task, at: datetime, took: float) -> None:
        move = _mapping(task, at, took)
        _backdate_row(task, move, took)
        for event in TaskEvent.select().where(TaskEvent.task == task.id):
            TaskEvent.update(at=move(event.at)).where(TaskEvent.id == event.id).execute()
        _backdate_artifacts(task, move)
        _backdate_mailing(task, move)
        Notification.update(updated_at=move(task.updated_at)).where(Notification.task == task.id).execute()
        self.smtp.backdate_new_mails(move(task.updated_at))
        NoticeCount.delete().where(NoticeCount.user == task.user_id).execute()  # that hour is long over
        if task.finished_at:
            self._backdate_notifications(task, move(task.finished_at))

    def _backdate_notifications(self, task: Task, finished: datetime) -> None:
        told: dict[str, Any] = {"told_at": finished}
        if self.now - finished > READ_BEFORE:
            seen = finished + timedelta(minutes=40)
            told["read_at"] = seen
            Task.update(dismissed_at=seen).where(Task.id == task.id).execute()
        listed = Notification.task == task.id, Notification.told_at.is_null(False)
        Notification.update(**told).where(*listed).execute()


Mapping = Callable[[datetime], datetime]


def _mapping(task: Task, began: datetime, took: float) -> Mapping:
    """Maps each moment of a task to when it should have been: started at `began`, running for `took` seconds."""
    starts = TaskEvent.select(TaskEvent.at).where(TaskEvent.task == task.id, TaskEvent.kind.in_(STARTED))
    first: datetime = starts.order_by(TaskEvent.id).limit(1).scalar() or task.updated_at
    stretch = took / max(1e-6, (task.updated_at - first).total_seconds())

    def move(moment: datetime) -> datetime:
        ran = max(0.0, (moment - first).total_seconds())
        return began + min(QUEUED_FOR, moment - task.created_at) + timedelta(seconds=ran * stretch)

    return move


def _backdate_row(task: Task, move: Mapping, took: float) -> None:
    moments = ("created_at", "ready_at", "started_at", "updated_at", "finished_at")
    changes: dict[str, Any] = {name: move(at) for name in moments if (at := getattr(task, name))}
    if task.started_at and task.state not in LEASED:
        changes["run_seconds"] = took
    Task.update(**changes).where(Task.id == task.id).execute()


def _backdate_artifacts(task: Task, move: Mapping) -> None:
    for file in Artifact.select().where(Artifact.task == task.id):
        changes: dict[str, Any] = {
            name: move(at) for name in ("created_at", "completed_at") if (at := getattr(file, name))
        }
        if file.expires_at:
            changes["expires_at"] = changes["completed_at"] + config().keep_artifacts
        Artifact.update(**changes).where(Artifact.id == file.id).execute()


def _backdate_mailing(task: Task, move: Mapping) -> None:
    mailing = Mailing.get_or_none(Mailing.task == task.id)
    if mailing is None:
        return
    written = move(task.created_at)
    Mailing.update(created_at=written).where(Mailing.id == mailing.id).execute()
    MailCount.update(at=written).where(MailCount.mailing == mailing.id).execute()
    tried = Delivery.mailing == mailing.id, Delivery.tried_at.is_null(False)
    rows: Any = Delivery.select(Delivery.id, Delivery.tried_at).where(*tried).tuples()
    for delivery_id, tried_at in list(rows):
        Delivery.update(tried_at=move(tried_at)).where(Delivery.id == delivery_id).execute()
