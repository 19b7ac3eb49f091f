"""Task: one piece of work that a person started, as they see it, and the only door to its states."""

from enum import StrEnum
from typing import Any, Self
from uuid import UUID, uuid4

from peewee import (
    AutoField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    JSONField,
    ModelSelect,
    TextField,
    UUIDField,
)
from playhouse.fields import EnumField

from webapp.database import BaseModel, database
from webapp.models.notification import TASK_PROGRESS, Notification
from webapp.models.user import User
from webapp.times import utcnow


class State(StrEnum):
    """Where a task is in its life."""

    PENDING = "pending"  # waiting for a worker
    IN_PROGRESS = "in_progress"  # a worker holds it
    CANCELING = "canceling"  # its owner wants it to stop; the worker notices at its next step
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


# Every legal move, with its reason. A state without an exit is finished.
MOVES: dict[State, dict[State, str]] = {
    State.PENDING: {
        State.IN_PROGRESS: "a worker claimed it",
        State.CANCELED: "its owner canceled it before it started",
    },
    State.IN_PROGRESS: {
        State.SUCCEEDED: "all its work is done",
        State.FAILED: "an error ended it",
        State.CANCELING: "its owner asked it to stop",
        State.PENDING: "its worker is shutting down and gave it back",
    },
    State.CANCELING: {
        State.CANCELED: "it noticed, at a step",
        State.SUCCEEDED: "its last step was already done",
        State.FAILED: "an error came before the next step",
    },
}
FINISHED = frozenset(State) - frozenset(MOVES)
ACTIVE = frozenset(MOVES)


class IllegalMove(Exception):
    """The task is not in a state from which it could go there. `task` is as the database has it now."""

    def __init__(self, task: "Task", target: State) -> None:
        super().__init__(f"a task that is {task.state} cannot become {target}")
        self.task = task


class AlreadyRunning(Exception):
    """Only one such task may be under way at a time. `task` is the one that is."""

    def __init__(self, task: "Task") -> None:
        super().__init__(f"{task.title} is already under way")
        self.task = task


class Task(BaseModel):
    """One piece of work, from the press of a button to its outcome.

    Every verb is one conditional UPDATE in one transaction with its timeline entry and its notification. A verb
    that comes too late raises IllegalMove and changes nothing. The verbs of a worker (`advance`, `succeed`, `fail`,
    `acknowledge_cancel`, `release`) also demand that this run still owns the task, by its token.
    """

    id = UUIDField(primary_key=True, default=uuid4)
    user = ForeignKeyField(User, backref="tasks", on_delete="CASCADE", index=False)
    user_id: int
    name = CharField(max_length=60, help_text="the task function")
    title = CharField(max_length=200, help_text="what people read")
    arguments = JSONField(default=dict)
    state = EnumField(State, max_length=16, default=State.PENDING)
    stage = CharField(max_length=200, default="", help_text="what it is doing now, in words")
    done = IntegerField(default=0)
    total = IntegerField(null=True, help_text="null as long as nobody knows")
    attempts = IntegerField(default=0)
    owner = CharField(max_length=32, null=True, help_text="the token of the run that holds it")
    error = TextField(default="", help_text="what went wrong, in words for people")
    unique_key = CharField(max_length=120, null=True, unique=True, help_text="held while it is active")
    created_at = DateTimeField(default=utcnow)
    pushed_at = DateTimeField(null=True, help_text="when the queue took its message")
    started_at = DateTimeField(null=True, help_text="when the present run began")
    updated_at = DateTimeField(default=utcnow)
    finished_at = DateTimeField(null=True)
    dismissed_at = DateTimeField(null=True, help_text="when its owner closed its alert")

    class Meta:
        indexes = (
            (("user", "dismissed_at", "created_at"), False),  # the alerts
            (("user", "created_at", "id"), False),  # the list
            (("state", "pushed_at"), False),  # the outbox
        )

    @classmethod
    def start(cls, user: User, name: str, title: str, arguments: dict[str, Any], unique_key: str | None = None) -> Self:
        """Write a pending task; the caller pushes its message after the commit.

        Raises AlreadyRunning when `unique_key` is held by an active task, also when two requests race.
        """
        task = cls(user=user, name=name, title=title[:200], arguments=arguments, unique_key=unique_key)
        while True:
            try:
                with database.atomic():
                    task.save(force_insert=True)
                    task._tell("launched", "Started by you")
                return task
            except IntegrityError as error:
                if unique_key is None:
                    raise
                if holder := cls.get_or_none(cls.unique_key == unique_key):
                    raise AlreadyRunning(holder) from error
                # Whoever held the key has finished between the two queries, so now it is free.

    # What people do

    def cancel(self) -> None:
        """Ask for this task to stop. A pending task stops now, a running one at its next step.

        Raises IllegalMove if it has finished or is stopping already. Safe to call from any process.
        """
        for source, target, text in (
            (State.PENDING, State.CANCELED, "Canceled before it started"),
            (State.IN_PROGRESS, State.CANCELING, "You asked it to stop"),
        ):
            if self._try_move(target, text, Task.state == source):
                return
        raise IllegalMove(Task.get_by_id(self.id), State.CANCELED)

    def dismiss(self) -> None:
        """Close its alert, on every page and for good. Raises IllegalMove while it is active; twice is once."""
        with database.atomic():
            closed = (
                Task.update(dismissed_at=utcnow())
                .where(Task.id == self.id, Task.state.in_(FINISHED), Task.dismissed_at.is_null())
                .execute()
            )
            if closed:
                self._notify()
        if not closed and not (now := Task.get_by_id(self.id)).is_finished:
            raise IllegalMove(now, now.state)

    # What workers do

    @classmethod
    def claim(cls, task_id: UUID) -> Self | None:
        """Take a pending task for this run, or None when another has it or nothing is left to do.

        One conditional UPDATE: however many copies of its message arrive, one run gets it. The row that comes
        back carries the owner token that every later write of this run must present.
        """
        task = cls(id=task_id, owner=uuid4().hex)
        now = utcnow()
        with database.atomic():
            claimed = (
                cls.update(
                    state=State.IN_PROGRESS, owner=task.owner, attempts=cls.attempts + 1, started_at=now,
                    updated_at=now, done=0, total=None, stage="", error="",
                )
                .where(cls.id == task_id, cls.state.in_(sources_of(State.IN_PROGRESS)))
                .execute()
            )  # fmt: skip
            if not claimed:
                return None
            task = cls.get_by_id(task_id)
            task._tell("started", "A worker started it")
        return task

    def advance(self, done: int, total: int | None, stage: str) -> bool:
        """Record how far this run is. False, and nothing written, when it should stop: canceled, or taken over."""
        with database.atomic():
            written = (
                Task.update(done=done, total=total, stage=stage[:200], updated_at=utcnow())
                .where(Task.id == self.id, Task.owner == self.owner, Task.state == State.IN_PROGRESS)
                .execute()
            )
            if written:
                self.done, self.total, self.stage = done, total, stage
                self._notify()
        return bool(written)

    def is_mine_and_running(self) -> bool:
        """Whether this run still owns the task and nobody wants it to stop. One small query."""
        return Task.select().where(
            Task.id == self.id, Task.owner == self.owner, Task.state == State.IN_PROGRESS
        ).exists()  # fmt: skip

    def succeed(self) -> None:
        """All is done: the bar is full. Wins over a cancel that came during the last step."""
        full = self.done if self.total is None else self.total
        self._finish(State.SUCCEEDED, "Finished", done=full, total=full or None)

    def fail(self, error: str) -> None:
        """It ended without success, for a reason in words. Progress stays where it stopped."""
        self._finish(State.FAILED, error, error=error)

    def acknowledge_cancel(self) -> None:
        """It noticed that it should stop, and has stopped."""
        self._finish(State.CANCELED, "Stopped")

    def release(self) -> None:
        """Give it back so that another worker starts it; for a worker that is shutting down."""
        self._move(State.PENDING, "Its worker shut down; it waits for another", owner=None, pushed_at=None, stage="")

    def log(self, text: str) -> None:
        """Add a line to the timeline."""
        with database.atomic():
            TaskEvent.insert(task=self.id, kind="log", text=text[:500], at=utcnow()).execute()
            User.count_change(self.user_id)

    # What pages ask

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in FINISHED

    @property
    def can_cancel(self) -> bool:
        """Whether `cancel` would work on the state that this row shows."""
        return self.state in (State.PENDING, State.IN_PROGRESS)

    @property
    def can_dismiss(self) -> bool:
        """Whether `dismiss` would change anything."""
        return self.is_finished and self.dismissed_at is None

    def timeline(self) -> "ModelSelect[TaskEvent]":
        """What happened to it, oldest first."""
        return TaskEvent.select().where(TaskEvent.task == self.id).order_by(TaskEvent.id)

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Task]":
        """Everything this person started, newest first."""
        return cls.select().where(cls.user == user).order_by(cls.created_at.desc(), cls.id.desc())

    def reload(self) -> Self:
        """Read the row again, in place. Not for a worker's own row: it would come by another run's token."""
        self.__data__.update(Task.get_by_id(self.id).__data__)
        return self

    # How every move is made

    def _move(self, target: State, text: str, **changes: Any) -> None:
        """A worker's move: from any legal source, only while this run owns the task."""
        if not self.owner or not self._try_move(target, text, Task.owner == self.owner, **changes):
            # A fresh row: this one keeps its token, with which it can do no more harm.
            raise IllegalMove(Task.get_by_id(self.id), target)

    def _finish(self, target: State, text: str, **changes: Any) -> None:
        progress = {"done": self.done, "total": self.total, "stage": "", "owner": None}
        self._move(target, text, **progress | changes)

    def _try_move(self, target: State, text: str, condition: Any, **changes: Any) -> bool:
        if target in FINISHED:
            changes = {"finished_at": utcnow(), "unique_key": None} | changes
        changes |= {"state": target, "updated_at": utcnow()}
        with database.atomic():
            moved = (
                Task.update(**changes)
                .where(Task.id == self.id, Task.state.in_(sources_of(target)), condition)
                .execute()
            )
            if moved:
                self.__data__.update(changes)
                self._tell(target, text)
        return bool(moved)

    def _tell(self, kind: str, text: str) -> None:
        TaskEvent.insert(task=self.id, kind=kind, text=text[:500], at=utcnow()).execute()
        self._notify()

    def _notify(self) -> None:
        payload = {"state": self.state, "done": self.done, "total": self.total}
        Notification.put(self.user_id, TASK_PROGRESS, payload, self.id)


class TaskEvent(BaseModel):
    """One line of a task's timeline: a move, or something that the task itself said."""

    id = AutoField()
    task = ForeignKeyField(Task, backref="events", on_delete="CASCADE")
    at = DateTimeField(default=utcnow)
    kind = CharField(max_length=16, help_text="launched, started, log, or the state it came to")
    text = CharField(max_length=500)


def sources_of(target: State) -> list[State]:
    """The states from which a task may come to `target`."""
    return [source for source, targets in MOVES.items() if target in targets]
