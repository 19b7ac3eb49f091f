"""Living: tasks that are really carried out, in no time, and whose lives are then put where they belong in the past."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tasks.engine.config import config
from tasks.engine.executor import execute
from tasks.engine.run import Run
from tasks.engine.stop_flag import StopRequested
from webapp.dev.demo.fake_smtp import Postman
from webapp.dev.demo.timeline import Happening
from webapp.lib.times import utcnow
from webapp.models import Artifact, Delivery, MailCount, Mailing, Notice, Notification, Task, TaskEvent
from webapp.models.task.state import LEASED

STARTED = ("started", "in_progress")  # as the timelines of tasks and of wholes say it
WAITED = timedelta(seconds=0.3)  # for a worker
OLD_NEWS = timedelta(hours=20)  # what has ended longer ago has been read, and its alert closed


class Swift(Run):
    """A run that need not wait, so a countdown takes no time. Something may happen to it at a step that says a word."""

    def __init__(self, task: Task, step: int, event: "Event | None") -> None:
        super().__init__(task)
        self._step, self._event = step, event

    def wait(self, seconds: float) -> None:
        """Go on at once."""
        self._come_to(self.done)

    def stage(self, text: str) -> None:
        """Say what it is doing now."""
        super().stage(text)
        self._come_to(self.done)

    def _come_to(self, step: int) -> None:
        if self._event and step == self._step:
            event, self._event = self._event, None
            event(self)


Event = Callable[[Swift], None]


class _Left(BaseException):
    """The worker is gone in the middle of a run: nobody records anything, and the lease runs out."""


def left_alone(run: Swift) -> None:
    """Its worker is gone; whoever sweeps next gives the task to another."""
    run.checkpoint()
    raise _Left


def paused(run: Swift) -> None:
    """Its owner pauses it, and it hears of that."""
    Task.get_by_id(run.id).pause()
    run.ask_to_stop(StopRequested)


def canceled(run: Swift) -> None:
    """Its owner cancels it, and it hears of that."""
    Task.get_by_id(run.id).cancel()
    run.ask_to_stop(StopRequested)


def pausing(run: Swift) -> None:
    """Its owner pauses it, and before it hears of that its worker is gone."""
    Task.get_by_id(run.id).pause()
    left_alone(run)


def canceling(run: Swift) -> None:
    """Its owner cancels it, and before it hears of that its worker is gone."""
    Task.get_by_id(run.id).cancel()
    left_alone(run)


def run_next(step: int = 0, event: Event | None = None) -> bool:
    """Carry out the task whose turn it is; what happens at a step of it, if that comes. False when none waits.

    It needs no heartbeat, which could not see a transaction that has not ended.
    """
    task = Task.claim(config().lease)
    if task is None:
        return False
    with suppress(_Left):
        execute(task, Swift(task, step, event), monitored=False)
    return True


def try_again_at_once(task: Task) -> None:
    """Begin the next attempt of a task that is to be tried again later."""
    Task.update(run_at=utcnow()).where(Task.id == task.id).execute()
    task.reload().enqueue()
    run_next()


class Life:
    """Puts lives where they belong. `now` is the moment up to which this world has lived."""

    def __init__(self, now: datetime, postman: Postman) -> None:
        self.now, self.postman = now, postman

    def happening(self, at: datetime, happen: Callable[[datetime], object]) -> Happening:
        """Something that is to be told when it happens."""
        return Happening(at, partial(happen, at))

    def put(self, task: Task, at: datetime, *took: float) -> None:
        """Let a task have been started then, and have been worked on for so many seconds.

        Of a task of parts, each of those that have run took so long, one after the other. All that it has left moves
        along: its timeline, its files, its notice, its mails. What ended long ago has been read.
        """
        begun, left = at, list(took)
        for part in task.children():
            seconds = left.pop(0) if part.started_at else 0.0
            self.put(part, begun, seconds)
            begun += timedelta(seconds=seconds)
        self._put(task.reload(), at, sum(took))

    def _put(self, task: Task, at: datetime, took: float) -> None:
        move = _move(task, at, took)
        _put_row(task, move, took)
        for event in TaskEvent.select().where(TaskEvent.task == task.id):
            TaskEvent.update(at=move(event.at)).where(TaskEvent.id == event.id).execute()
        _put_files(task, move)
        _put_mailing(task, move)
        Notification.update(updated_at=move(task.updated_at)).where(Notification.task == task.id).execute()
        self.postman.date_new_mails(move(task.updated_at))
        if task.finished_at:
            self._tell(task, move(task.finished_at))

    def _tell(self, task: Task, finished: datetime) -> None:
        notice: dict[str, Any] = {"created_at": finished}
        if self.now - finished > OLD_NEWS:
            seen = finished + timedelta(minutes=40)
            notice["read_at"] = seen
            Task.update(dismissed_at=seen).where(Task.id == task.id).execute()
        Notice.update(**notice).where(Notice.task == task.id).execute()


Move = Callable[[datetime], datetime]


def _move(task: Task, began: datetime, took: float) -> Move:
    """Where each moment of a life belongs: its start at `began`, and its runs over so many seconds."""
    starts = TaskEvent.select(TaskEvent.at).where(TaskEvent.task == task.id, TaskEvent.kind.in_(STARTED))
    first: datetime = starts.order_by(TaskEvent.id).limit(1).scalar() or task.updated_at
    stretch = took / max(1e-6, (task.updated_at - first).total_seconds())

    def move(moment: datetime) -> datetime:
        ran = max(0.0, (moment - first).total_seconds())
        return began + min(WAITED, moment - task.created_at) + timedelta(seconds=ran * stretch)

    return move


def _put_row(task: Task, move: Move, took: float) -> None:
    moments = ("created_at", "started_at", "updated_at", "finished_at")
    changes: dict[str, Any] = {name: move(at) for name in moments if (at := getattr(task, name))}
    if task.started_at and task.state not in LEASED:
        changes["run_seconds"] = took
    Task.update(**changes).where(Task.id == task.id).execute()


def _put_files(task: Task, move: Move) -> None:
    for file in Artifact.select().where(Artifact.task == task.id):
        changes: dict[str, Any] = {
            name: move(at) for name in ("created_at", "completed_at") if (at := getattr(file, name))
        }
        if file.expires_at:
            changes["expires_at"] = changes["completed_at"] + config().keep_artifacts
        Artifact.update(**changes).where(Artifact.id == file.id).execute()


def _put_mailing(task: Task, move: Move) -> None:
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
