"""Task: one piece of work that a person started, as they see it, and the only door to its states."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID, uuid4

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    DateTimeField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelSelect,
    TextField,
    UUIDField,
)
from playhouse.fields import EnumField

from webapp.db import BaseModel, database, locking, locks_rows
from webapp.lib.times import utcnow
from webapp.models.task import claim, removal, signals, workflow
from webapp.models.task.event import TaskEvent
from webapp.models.task.state import FINISHED, LEASED, ON_RELEASE, OWNER_ACTIONS, State
from webapp.models.task.transitions import IllegalTransition, Transitions
from webapp.models.user import User

MOST_RESCUES = 5  # by which it gets no further
# The same, where the database ended its runs. That takes a quarter of an hour at least; it may be what the task does.
MOST_INTERRUPTIONS = 20
INTERRUPTED_FOR = 5.0  # seconds, doubled with each time
INTERRUPTED_AT_MOST = 60.0
_COUNTED = {"done": 0, "total": None}  # of a cursor
_NO_TROUBLE = {"error": "", "attempts": 0, "rescues": 0, "crashes": 0, "interruptions": 0}  # of a task tried anew
_ZERO: list[Any] = [SQL("DEFAULT 0")]  # in the database, too: a release from before the column does not name it
NOT_HEARD_FROM = "Lost contact with the worker"
DIED_REPEATEDLY = "The worker crashed repeatedly while running this task."
INTERRUPTED_REPEATEDLY = "The database failed repeatedly while this task was running."


class Composition(StrEnum):
    """Whether a task does its own work, or is made of parts, and how these follow each other."""

    SINGLE = "single"
    GROUP = "group"
    CHAIN = "chain"
    CHORD = "chord"


class Task(Transitions, BaseModel):
    """One piece of work, from the press of a button to its outcome.

    Every verb is one conditional UPDATE in one transaction with its timeline entry and its notification. A verb
    that comes too late raises IllegalTransition and changes nothing. The verbs of a worker (`advance`, `checkpoint`,
    `succeed`, `fail`, `retry_later`, `release` and `let_go`) also demand that this run still owns the task, by its
    token. A worker holds a task by a lease that it renews; when that ends, `rescue` gives the task to another.
    """

    id = UUIDField(primary_key=True, default=uuid4)
    user = ForeignKeyField(User, backref="tasks", on_delete="CASCADE", index=False)
    user_id: int
    parent = ForeignKeyField("self", null=True, on_delete="CASCADE", help_text="the whole of which it is a part")
    parent_id: UUID | None
    root = ForeignKeyField("self", null=True, on_delete="CASCADE", help_text="the topmost whole")
    root_id: UUID | None
    composition = EnumField(
        Composition, column_name="kind", max_length=8, default=Composition.SINGLE, constraints=[SQL("DEFAULT 'single'")]
    )
    step = IntegerField(
        default=0, constraints=_ZERO, help_text="parts of a step run side by side, and after those of the step before"
    )
    name = CharField(max_length=60, help_text="the task function; empty for what is made of parts")
    title = CharField(max_length=200, help_text="what people read")
    hidden = BooleanField(
        column_name="quiet",
        default=False,
        constraints=[SQL("DEFAULT FALSE")],
        help_text="its owner did not start it, or it is purged: they see nothing of it",
    )
    arguments = JSONField(default=dict)
    state = EnumField(State, max_length=16, default=State.PENDING)
    stage = CharField(max_length=200, default="", help_text="what it is doing now, in words")
    done = IntegerField(default=0)
    total = IntegerField(null=True, help_text="null as long as nobody knows")
    expected = IntegerField(null=True, help_text="the total with which it was started; null if nobody knew")
    share = FloatField(null=True, help_text="of a whole: how much of it is done, from 0 to 1; it never goes back")
    cursor = JSONField(null=True, help_text="from where the next run goes on; null if from the beginning")
    result = JSONField(null=True, help_text="what its function returned")
    error = TextField(default="", help_text="what went wrong, in words for people")
    attempts = IntegerField(default=0, help_text="an interruption is none, nor is a pause")
    retries = IntegerField(default=0, constraints=_ZERO, help_text="how many attempts there may be after the first")
    rescues = IntegerField(default=0, constraints=_ZERO, help_text="how many of its runs have died or were interrupted")
    crashes = IntegerField(
        column_name="deaths", default=0, constraints=_ZERO, help_text="how many have died since it last got further"
    )
    interruptions = IntegerField(
        default=0, constraints=_ZERO, help_text="how often the database ended a run, since then, too"
    )
    priority = IntegerField(default=0, constraints=_ZERO, help_text="the higher goes first")
    queue_key = BigIntegerField(
        column_name="turn", null=True, help_text="its place in the line; the smaller goes first"
    )
    fencing_token = CharField(
        column_name="owner", max_length=32, null=True, help_text="the token of the run that holds it"
    )
    lease_until = DateTimeField(null=True, help_text="until when, unless the run renews it")
    unique_key = CharField(max_length=120, null=True, help_text="what may be under way only once")
    active_unique_key = CharField(
        column_name="held_key", max_length=120, null=True, unique=True, help_text="the unique key, while it is active"
    )
    run_at = DateTimeField(null=True, help_text="when to start it, or to try it again; or when it was to start")
    created_at = DateTimeField(default=utcnow)
    started_at = DateTimeField(null=True, help_text="when the present run began")
    updated_at = DateTimeField(default=utcnow, help_text="when it last moved or got further")
    run_seconds = FloatField(
        column_name="worked",
        default=0,
        constraints=_ZERO,
        help_text="the seconds that all runs before the present one took",
    )
    finished_at = DateTimeField(null=True)
    dismissed_at = DateTimeField(null=True, help_text="when its owner closed its alert")
    undo_began_at = DateTimeField(null=True, help_text="when what it did began to be taken back")
    undone_at = DateTimeField(null=True, help_text="when all of that had been")

    class Meta:
        indexes = (
            (("user", "dismissed_at", "finished_at"), False),  # the alerts of what has ended
            (("user", "created_at", "id"), False),  # the list
            (("user", "finished_at", "id"), False),  # the list of what has ended
            (("state", "queue_key"), False),  # the line, and what workers hold
            (("state", "user", "queue_key"), False),  # a person's place in it
            (("state", "run_at"), False),  # what is due
            (("hidden", "finished_at"), False),  # what is old
        )

    @classmethod
    def start(
        cls,
        user: User,
        name: str,
        title: str,
        arguments: dict[str, Any],
        *,
        run_at: datetime | None = None,
        whole: "Task | None" = None,
        total: int | None = None,
        **fields: Any,
    ) -> Self:
        """Write a task that waits for a worker, for its time `run_at`, or for its turn as a part of a `whole`.

        `total` is how many steps it will have, where that is known by now.

        Raises AlreadyRunning when its `unique_key` is held by an active task, also when two requests race. A whole
        must be told to `begin` once it has its parts.
        """
        task = cls(user=user, name=name, title=title[:200], arguments=arguments, run_at=run_at, **fields)
        task.active_unique_key = task.unique_key
        task.total = task.expected = total
        if whole:
            task.parent, task.root, task.state = whole, whole.root_id or whole.id, State.WAITING
        elif run_at:
            task.state = State.SCHEDULED
        else:
            task.queue_key = task._next_turn()

        def write() -> None:
            task.save(force_insert=True)
            task._tell("launched", "Scheduled by you" if run_at else "Started by you")
            signals.announce(signals.launched, task)
            if task.queue_key is not None:
                signals.announce(signals.enqueued, task)

        task._holding_unique_key(write)
        return task

    # What people do

    def can(self, request: str) -> bool:
        """Whether `cancel`, `pause`, `resume`, `retry`, `dismiss` or `remove` would work on the state of this row."""
        if request == "dismiss":
            return self.is_finished and self.dismissed_at is None
        if request == "remove":
            return self.is_finished and self.parent_id is None
        alone = {
            "pause": self.composition == Composition.SINGLE,
            "retry": self.parent_id is None or not self.is_finished,
        }
        return self.state in OWNER_ACTIONS[request] and alone.get(request, True)

    def cancel(self) -> None:
        """Ask for this task to stop. One that waits stops now, a running one at its next step; with all its parts.

        Raises IllegalTransition if it has finished or is stopping already. Safe to call from any process.
        """
        with workflow.changing(self):
            then = Case(None, [(Task.state == State.SCHEDULED, Task.run_at)], None)  # for whoever schedules it again
            self._ask("cancel", queue_key=None, run_at=then)
            if self.composition != Composition.SINGLE:
                workflow.cancel_children(self)

    def pause(self) -> None:
        """Ask for this task to pause: now if it waits, else at its next step.

        Raises IllegalTransition where it cannot.
        """
        if self.composition != Composition.SINGLE:
            raise IllegalTransition(Task.get_by_id(self.id), State.PAUSED)
        with workflow.changing(self):
            self._ask("pause", queue_key=None)

    def resume(self) -> None:
        """Let a paused task wait for a worker, which goes on where it stopped.

        Raises IllegalTransition if it is not paused.
        """
        with workflow.changing(self):
            self._ask("resume", **self._enqueueing() | self._resumption())

    def retry(self) -> None:
        """Try a failed or canceled task again, or do now what is scheduled for later. It goes on where it stopped.

        Raises IllegalTransition in other states, and for a part whose whole has to be tried again; AlreadyRunning if
        another task has its unique key by now.
        """
        was_hidden = self.hidden
        if self.reload().hidden != was_hidden or not self.can("retry"):
            raise IllegalTransition(self, State.PENDING)
        anew = _NO_TROUBLE | {"finished_at": None, "dismissed_at": None}
        changes = {"active_unique_key": self.unique_key, "share": self._nothing()} | (anew if self.is_finished else {})

        def start_again() -> None:
            with workflow.changing(self):
                self._ask("retry", self.state, **self._enqueueing() | self._resumption() | changes)
                if self.composition != Composition.SINGLE:
                    workflow.reset_for_retry(self)
                    workflow.start_next_step(self)

        self._holding_unique_key(start_again)

    def begin_undo(self, by: UUID) -> bool:
        """Record that the task `by` takes back what this one did: in the transaction of the first effect of that.

        If it is tried again, it begins anew. False, and nothing recorded, while it is active. Twice is once.
        """
        with database.transaction():
            mine = Task.id == self.id, Task.state.in_(FINISHED)
            if not Task.update(cursor=None, undo_began_at=_not_before_its_end(), undone_at=None).where(*mine).execute():
                return False
            told = TaskEvent.task == self.id, TaskEvent.kind == "undoing", TaskEvent.link == by
            if not TaskEvent.select().where(*told).exists():
                self._tell("undoing", "Undo started by you", by)
        return True

    def end_undo(self, by: UUID, words: str) -> None:
        """Record that all is taken back, with words for what that was. Nothing happens if it has moved since."""
        began = Task.undo_began_at >= Task.finished_at, Task.undone_at.is_null()
        with database.transaction():
            mine = Task.id == self.id, Task.state.in_(FINISHED), *began
            if Task.update(undone_at=_not_before_its_end()).where(*mine).execute():
                self._tell("undone", f"Undone by you: {words}", by)

    def dismiss(self) -> None:
        """Close its alert, on every page and for good. Raises IllegalTransition while it is active; twice is once."""
        with workflow.changing(self):
            closed = (
                Task.update(dismissed_at=utcnow())
                .where(Task.id == self.id, Task.state.in_(FINISHED), Task.dismissed_at.is_null())
                .execute()
            )
            if closed:
                self._notify()
        if not closed and not (now := Task.get_by_id(self.id)).is_finished:
            raise IllegalTransition(now, now.state)

    def remove(self) -> None:
        """Delete a finished task with all that it made. Raises IllegalTransition while it is active, and for a part."""
        with database.transaction():
            finished = Task.id == self.id, Task.state.in_(FINISHED), Task.parent.is_null()
            if locks_rows() and list(locking(Task.select(Task.id).where(*finished))):
                removal.detach(Task, self.id)
                User.hold(self.user_id)  # what goes with it may be theirs: notices, mails
            if not Task.delete().where(*finished).execute():
                raise IllegalTransition(Task.get_by_id(self.id), "deleted")
            User.count_change(self.user_id)

    # What workers do

    @classmethod
    def claim(cls, lease: timedelta, token: str = "") -> "Task | None":
        """Take the task whose turn it is for a run, or None when nothing waits.

        One conditional UPDATE: however many workers ask, one gets it (`claim`). The row that comes back carries the
        owner token that every later write of this run must present, a new one if none is given, and the cursor from
        which to go on.
        """
        token = token or uuid4().hex

        def take(now: datetime) -> "Task | None":
            task = next(iter(cls.raw(claim.claim_sql(database.obj), token, now + lease, *[now] * 5)), None)
            if task:
                task._tell("started", task._how_it_starts())
                signals.announce(signals.started, task)
            return task

        task = claim.attempt(take, utcnow())
        if task and task.parent_id:
            with workflow.changing(task):
                workflow.update_parent(task)
        return task

    @classmethod
    def leased_by(cls, token: str) -> Self | None:
        """The task that a run has by this token, if any. It reads all that workers hold."""
        return cls.get_or_none(cls.state.in_(LEASED), cls.fencing_token == token)

    def advance(self, done: int, total: int | None, stage: str) -> bool:
        """Record how far this run is. False, and nothing written, when it should stop: canceled, or taken over."""
        return self._record(Task.state == State.IN_PROGRESS, done=done, total=total, stage=stage[:200])

    def checkpoint(
        self, cursor: dict[str, Any], done: int, total: int | None, stage: str, lease: timedelta, tell: bool = True
    ) -> bool:
        """Record from where to go on, in the transaction of the effects that led there; renew the lease.

        A task that gets further is none that kills its workers, so its crashes are counted anew. How far it is stands
        on the row, and is told, only if this is to `tell`: a run may have many more checkpoints than anybody can watch.

        False, and nothing written, when another run has the task: the transaction must then be rolled back.
        """
        changes: dict[str, Any] = {"done": done, "total": total, "stage": stage[:200]} if tell else {}
        if self.gets_further(cursor):
            changes["crashes"] = changes["interruptions"] = 0
        return self._record(Task.state.in_(LEASED), tell, cursor=cursor, lease_until=utcnow() + lease, **changes)

    def gets_further(self, cursor: dict[str, Any]) -> bool:
        """Whether a checkpoint with this cursor is beyond the latest one.

        Steps that are only counted are no proof of that: whatever does not go on from the cursor counts them again in
        each run.
        """
        return self.cursor is None or cursor | _COUNTED != self.cursor | _COUNTED

    def renew(self, lease: timedelta) -> bool:
        """Hold the task for as long from now. False when another run has it. One write."""
        until = utcnow() + lease
        return bool(Task.update(lease_until=until).where(self._is_mine(), Task.state.in_(LEASED)).execute())

    def rename(self, title: str) -> None:
        """Call it otherwise from now on. Nothing happens when another run has the task."""
        with workflow.changing(self):
            if Task.update(title=title[:200], updated_at=utcnow()).where(self._is_mine()).execute():
                self.title = title[:200]
                if not self.hidden:
                    User.count_change(self.user_id)

    def take_retries(self, number: int) -> None:
        """Let this run, which has just claimed it, have as many attempts after the first as its function has by now.

        A row may be older than the release that runs it. No query where that changes nothing.
        """
        if self.retries != number:
            Task.update(retries=number).where(self._is_mine()).execute()
            self.retries = number

    def is_mine_and_running(self) -> bool:
        """Whether this run still owns the task and nobody wants it to stop. One small query."""
        return Task.select().where(self._is_mine(), Task.state == State.IN_PROGRESS).exists()

    def succeed(self, result: Any = None) -> None:
        """All is done: the bar is full. Wins over a cancel or a pause that came during the last step."""
        full = self.done if self.total is None else self.total
        self._end(State.SUCCEEDED, "Finished", done=full, total=full or None, result=result)

    def fail(self, error: str) -> None:
        """It ended without success, for a reason in words. Progress stays where it stopped."""
        self._end(State.FAILED, error, error=error)

    def retry_later(self, delay: float, error: str) -> None:
        """An attempt failed; the next begins after so many seconds. If its owner asked for it to stop, it has."""
        again = f"{error} Retrying (attempt {self.attempts + 1} of {self.retries + 1})"
        self._try_again(delay, error, again)

    def time_out(self, error: str, delay: float, further: bool) -> None:
        """A clock has ended this run, for a reason in words. If its owner asked for it to stop or to pause, it has.

        With an attempt left it is tried again after so many seconds. A run that got `further` has used up none.
        """
        if further and self.retries:
            self._try_again(delay, error, f"{error} Continuing from the latest step", attempts=Task.attempts - 1)
        elif self.attempts <= self.retries:
            self.retry_later(delay, error)
        else:
            self._give_up(State.FAILED, error, error=error)

    def _try_again(self, delay: float, error: str, text: str, **changes: Any) -> None:
        run_at = utcnow() + timedelta(seconds=delay)
        self._give_up(State.RETRYING, text, run_at=run_at, error=error, **changes)

    def interrupt(self, why: str) -> None:
        """The database ended this run, by no fault of the task's. Another goes on in some seconds, longer each time.

        After MOST_INTERRUPTIONS by which it got no further it fails: it may be what the task does. If its owner asked
        for it to stop or to pause, it has.
        """
        if self.interruptions >= MOST_INTERRUPTIONS:
            self._give_up(State.FAILED, INTERRUPTED_REPEATEDLY, error=INTERRUPTED_REPEATEDLY)
            return
        self._recall_cursor()
        delay = min(INTERRUPTED_FOR * 2.0**self.interruptions, INTERRUPTED_AT_MOST)
        counts = {"interruptions": Task.interruptions + 1, "rescues": Task.rescues + 1, "attempts": Task.attempts - 1}
        back = self._resumption() | counts | {"error": why, "run_at": utcnow() + timedelta(seconds=delay)}
        self._give_up(State.RETRYING, why, **back)

    def _recall_cursor(self) -> None:
        """Nobody else knows whether the last checkpoint was committed when the connection was lost meanwhile."""
        if kept := Task.select(Task.cursor).where(self._is_mine()).first():
            self.cursor = kept.cursor

    def release(self) -> None:
        """Give it back so that another worker goes on; for a worker that is shutting down."""
        back = self._resumption() | {"attempts": Task.attempts - 1, "queue_key": self._next_turn()}
        self._give_up(State.PENDING, "Worker shut down; waiting for another", **back)

    def acknowledge_stop(self) -> None:
        """It noticed what its owner asked for, and has stopped or paused by that.

        To pause uses up no attempt. Raises IllegalTransition if nothing was asked for.
        """
        self._give_up(None, "", attempts=Task.attempts - 1)

    def log(self, text: str, at: datetime | None = None) -> None:
        """Add a line to the timeline, of now or of another time."""
        with database.transaction():
            TaskEvent.write(self.id, "log", text, at)
            if not self.hidden:
                User.count_change(self.user_id)

    # What the sweeper does

    @classmethod
    def lost(cls, limit: int) -> "ModelSelect[Task]":
        """Tasks whose run has stopped renewing its lease."""
        return cls.select().where(cls.state.in_(LEASED), cls.lease_until < utcnow()).limit(limit)

    @classmethod
    def due(cls, limit: int) -> "ModelSelect[Task]":
        """Tasks that were scheduled or are to be tried again, and whose time has come; the earliest first."""
        later = cls.state.in_((State.SCHEDULED, State.RETRYING))
        return cls.select().where(later, cls.run_at <= utcnow()).order_by(cls.run_at).limit(limit)

    def wake(self) -> bool:
        """Let it wait for a worker, now that its time has come. False when it has moved on by itself."""
        text = "Time for the next attempt" if self.state == State.RETRYING else "Scheduled time reached"
        with workflow.changing(self):
            changes = self._enqueueing() | self._resumption()
            if not self._try_move(State.PENDING, text, Task.run_at <= utcnow(), **changes):
                return False
            if self.composition != Composition.SINGLE:
                workflow.start_next_step(self)
        return True

    def rescue(self, why: str = NOT_HEARD_FROM) -> bool:
        """Take it from a run that is lost, for another. False if that run still holds it.

        After MOST_RESCUES by which it got no further it fails. A task that was to pause or to stop has done so by that.
        """
        mine = self._is_mine() & (Task.lease_until == self.lease_until)
        with workflow.changing_if_free(self) as free:
            if not free:
                return False  # its run is just writing, and renews its lease by that
            if self.state == State.IN_PROGRESS and self.crashes >= MOST_RESCUES:
                return self._try_move(
                    State.FAILED, DIED_REPEATEDLY, mine, error=DIED_REPEATEDLY, **self._letting_go_of_lease()
                )
            target = ON_RELEASE.get(self.state, State.PENDING)
            changes = self._letting_go_of_lease(self.updated_at) | self._one_more_crash()
            if target != State.CANCELED:
                changes["attempts"] = Task.attempts - 1
            if target == State.PENDING:
                changes["queue_key"] = self._next_turn()
            if target == State.PENDING or self.cursor:  # what the run had told last may be less than it has done
                changes |= self._resumption()
            text = f"{why}; {'waiting for another' if target == State.PENDING else target.words}"
            rescued = self._try_move(target, text, mine & (Task.state == self.state), **changes)
            if rescued:
                signals.announce(signals.rescued, self)
        return rescued

    # What a whole and its parts do

    def parts(self) -> "ModelSelect[Task]":
        """What it is made of, in order."""
        return Task.select().where(Task.parent == self.id).order_by(Task.step, Task.created_at, Task.id)

    def begin(self) -> None:
        """Start a part whose step has come, or a whole that has its parts."""
        if self.state == State.WAITING:
            self._demand(State.PENDING, "Earlier steps are done", **self._enqueueing())
        if self.composition != Composition.SINGLE:
            workflow.start_next_step(self)

    def reset_for_retry(self) -> None:
        """A part that was not done waits for its step again, as the whole is tried again."""
        anew = _NO_TROUBLE | {"started_at": None, "finished_at": None, "active_unique_key": self.unique_key}
        anew |= {"share": self._nothing()}
        changes = self._resumption() | anew
        self._holding_unique_key(lambda: self._demand(State.WAITING, "The whole task is being retried", **changes))

    def expect(self, total: int | None) -> None:
        """Say of a whole that has just got its parts how many steps these have, if that is known of all of them."""
        changes = {"expected": total, "total": total, "share": self._nothing()}
        Task.update(changes).where(Task.id == self.id).execute()
        self.__data__.update(changes)

    def aggregate(self, done: int, total: int, share: float, stage: str, begun: bool) -> None:
        """Make a whole say how far its parts are, what one of them is doing, and that one has begun.

        Its share never goes back, whatever becomes of the totals of its parts: it then waits until they come by it.
        """
        changes = {"done": done, "total": total or None, "share": max(share, self.share or 0.0), "stage": stage}
        Task.update(**changes, updated_at=utcnow()).where(Task.id == self.id).execute()
        self.__data__.update(changes)
        waits = Task.state == State.PENDING
        if begun and self._try_move(State.IN_PROGRESS, "First part started", waits, started_at=utcnow()):
            signals.announce(signals.started, self)
        self._notify()

    def report_child_failure(self, words: str) -> None:
        """Say of a whole that goes on what has failed of it by now."""
        Task.update(error=words).where(Task.id == self.id).execute()
        self.error = words
        self._tell("log", words)

    def finish_parent(self, verdict: State, error: str) -> None:
        """End a whole as its parts have ended."""
        if verdict == State.CANCELED:
            self._try_move(State.CANCELING, "A part was canceled", Task.state == State.IN_PROGRESS)
        text = {State.SUCCEEDED: "All parts finished", State.CANCELED: "Canceled"}.get(verdict, error)
        self._demand(verdict, text, error=error, **self._letting_go_of_lease())

    # What pages ask

    def __str__(self) -> str:
        return self.title

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in FINISHED

    @property
    def is_unsuccessful(self) -> bool:
        """Whether it has ended otherwise than its owner wanted when they started it."""
        return self.state in FINISHED - {State.SUCCEEDED}

    @property
    def is_stopping(self) -> bool:
        """Whether it pauses or is canceled as soon as its run reaches its next step."""
        return self.state in ON_RELEASE

    @property
    def is_settling(self) -> bool:
        """Whether it will most likely be in another state within a second or two."""
        return self.is_stopping or self.state == State.PENDING

    @property
    def is_undone(self) -> bool:
        """Whether all that it did has been taken back since it ended."""
        return self._since_its_end(self.undone_at)

    @property
    def is_partly_undone(self) -> bool:
        """Whether some of what it did has been taken back since it ended, but not all, or not yet."""
        return self._since_its_end(self.undo_began_at) and not self.is_undone

    def _since_its_end(self, moment: datetime | None) -> bool:
        return moment is not None and self.finished_at is not None and moment >= self.finished_at

    def timeline(self) -> "ModelSelect[TaskEvent]":
        """What happened to it, oldest first."""
        return TaskEvent.select().where(TaskEvent.task == self.id).order_by(TaskEvent.id)

    @property
    def is_shown(self) -> bool:
        """Whether its owner sees it by itself: it is neither quiet nor a part."""
        return not self.hidden and self.parent_id is None

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Task]":
        """All that is shown to this person, newest first."""
        shown = cls.user == user, cls.parent.is_null(), ~cls.hidden
        return cls.select().where(*shown).order_by(cls.created_at.desc(), cls.id.desc())

    def reload(self) -> Self:
        """Read the row again, in place. Not for a worker's own row: it would come by another run's token."""
        self.__data__.update(Task.get_by_id(self.id).__data__)
        return self


def _not_before_its_end() -> Case:
    """Now, by a clock that may be behind that of the worker which ended the task."""
    now = utcnow()
    return Case(None, [(Task.finished_at > now, Task.finished_at)], now)


Task.add_index(Task.user, where=Task.fencing_token.is_null(False), name="tasks_running")
