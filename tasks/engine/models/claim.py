"""The claim: which of the tasks that wait goes to a worker that is free, as one statement.

Usually it is the head of the queue. But while others wait, it is the first of somebody who holds no more than their
share (`tasks/engine/models/fair_share.py`). Where all who wait are at that limit, or the number of processes is
unknown, it is the head of the queue after all: a worker that is free never goes without a task that waits.

Where anything is decided of any kind, that statement takes nothing, and another takes its place, which is slower by
a few steps in an index: it looks at what may be taken alone (`tasks/engine/models/open_kinds.py`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from peewee import Case, Expression, ModelUpdate, Select, fn

from tasks.engine.models import fair_queue, kind_turns, observers, open_kinds, phrases, signals, transitions
from tasks.engine.models.fair_share import NOW, FairShare, fair, full, head, is_any_fair, lock
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.line_start import LineStart
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskRow, TaskTrait
from tasks.engine.models.state import LEASED, State
from webapp.db import CompiledQuery, Param, compiled, database, is_postgres, locking, params_of, read_model
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow

TRIES = 6
_share = FairShare()
_line_start = LineStart()


def _parts() -> tuple[Expression, ...]:
    """What is searched, one after the other: on PostgreSQL what comes first by its priority, then the line from a
    `start` in the `level` of that. The whole line on SQLite.
    """
    if not is_postgres():
        return (TaskRow.queue_key.is_null(False),)
    return TaskRow.queue_key < Param("level", int), TaskRow.queue_key >= Param("start", int)


def _starts() -> Iterator[dict[str, int]]:
    """From where to search: what is taken lately is passed over, until nothing is found. One query a second."""
    if not is_postgres():
        yield {}
        return
    start = _line_start.known()
    if start is None:
        _line_start.found(start := fair_queue.first_key())
    if start is not None:
        yield {"level": fair_queue.level_of(start), "start": start}
    yield {"level": fair_queue.FIRST, "start": fair_queue.FIRST}


@compiled
def _take_head() -> ModelUpdate:
    """The task at the head of the line, for who is alone in it."""
    return _taking(_heads(), shared=True).where(~open_kinds.any_control())


@compiled
def _take_fairly() -> ModelUpdate:
    """The first task of somebody who is not full, or if there is none, the head of the line."""
    fairest = Select(columns=[Case(None, [(fn.EXISTS(full()), fair(*_parts(), lock=True))])])
    return _taking([fairest, *_heads()], shared=False).where(~open_kinds.any_control())


@compiled
def _take_open() -> ModelUpdate:
    """The same among what may be taken while kinds are held."""
    fairest = open_kinds.nearest(lock=True), open_kinds.first_of_pairs(lock=True)
    return _taking([*fairest, open_kinds.nearest(lock=True, fair=False)], shared=False)


def _heads() -> list[Select]:
    """On PostgreSQL they pass over what another is claiming."""
    return [locking(head(part), skip_locked=True) for part in _parts()]


def _taking(choices: list[Select], shared: bool) -> ModelUpdate:
    """Takes the first of these that there is: gives its row as it is then, or none when nothing waits.

    On PostgreSQL with its person's lock, maybe a `shared` one, and one more column for that.
    """
    chosen = TaskRow.id == (fn.COALESCE(*choices) if len(choices) > 1 else choices[0])
    run = params_of(TaskRow.fencing_token, TaskRow.lease_until)
    run |= dict.fromkeys((TaskRow.started_at, TaskRow.updated_at), NOW)
    run |= {TaskRow.attempts: TaskRow.attempts + 1, TaskRow.moves: TaskRow.moves + 1}
    begun = {TaskRow.state: State.IN_PROGRESS, TaskRow.queue_key: None, TaskRow.stage: "", TaskRow.error: ""}
    begun |= dict.fromkeys((TaskRow.stage_phrase, TaskRow.error_phrase))
    locks = [lock(shared)] if is_postgres() else []
    return TaskRow.update(run | begun).where(TaskRow.state == State.PENDING, chosen).returning(TaskRow, *locks)


class Claiming(TaskTrait):
    """How a task comes to a run."""

    @classmethod
    def claim(cls, lease: timedelta, token: str = "") -> Self | None:
        """Take the task whose turn it is for a run, or None when nothing waits.

        However many workers ask, one gets it. The row that comes back carries the fencing token that every later write
        of this run must present, a new one if none is given, and the cursor from which to continue.
        """
        task = cls._claim_fairly(lease, token or uuid4().hex)
        if task and task.parent_id:
            with changing(task):
                observers.advanced(task)
        return task

    @classmethod
    def leased_by(cls, token: str) -> Self | None:
        """The task that a run holds by this fencing token, if any. It reads all tasks that workers hold."""
        return cls.get_or_none(cls.state.in_(LEASED), cls.fencing_token == token)

    @classmethod
    def is_any_claimable(cls) -> bool:
        """Whether any task waits that may be taken. One small read, by index; two more while kinds are held."""
        if not fair_queue.is_any_waiting():
            return False
        return not KindControl.is_any() or open_kinds.is_any(utcnow())

    @classmethod
    def seconds_to_start(cls) -> float | None:
        """How long until the next one starts of a kind that may start so many a second; None where none waits.

        One query, and none where the last claim of this process has found that nothing is decided of any kind.
        """
        return kind_turns.seconds_to_start(utcnow()) if _share.is_any_held else None

    @classmethod
    def _claim_fairly(cls, lease: timedelta, token: str) -> Self | None:
        """While kinds are held, from among the others. What the last claim has found of that is tried first."""
        if not _share.is_any_held and (task := cls._claim_of_all(lease, token)):
            return task
        controls = {control.name: control for control in KindControl.all()}
        was_any, _share.is_any_held = _share.is_any_held, bool(controls)
        if controls:
            return cls._claim_open(controls, lease, token)
        return cls._claim_of_all(lease, token) if was_any else None

    @classmethod
    def _claim_open(cls, controls: Mapping[str, KindControl], lease: timedelta, token: str) -> Self | None:
        """As fairly as may be, and within all limits; None also where others were always a moment earlier."""
        for left in reversed(range(TRIES)):
            now = utcnow()
            try:
                with database.transaction():
                    task = cls._take(now, lease, token, _take_open)
                    if task and not kind_turns.keeps(task, controls.get(task.name), now):
                        raise _GiveWay
                    if task and left and not _share.keeps(task.party, now, alone=False, others=open_kinds.is_any_fair):
                        raise _GiveWay
                    return task
            except _GiveWay:
                continue
        return None

    @classmethod
    def _claim_of_all(cls, lease: timedelta, token: str) -> Self | None:
        """A claim is rolled back and tried again where it was somebody's one too many; in the end any will do."""
        now = utcnow()
        for _ in range(TRIES):
            alone = is_postgres() and not _share.others_wait and not database.in_transaction()
            try:
                with database.transaction():
                    task = cls._take(now, lease, token, _take_head if alone else _take_fairly, in_parts=True)
                    if task and not _share.keeps(task.party, now, alone, others=is_any_fair):
                        raise _GiveWay
                    return task
            except _GiveWay:
                continue
        with database.transaction():
            return cls._take(now, lease, token, _take_fairly, in_parts=True)

    @classmethod
    def _take(
        cls, now: datetime, lease: timedelta, token: str, taking: CompiledQuery, in_parts: bool = False
    ) -> Self | None:
        """By one of the statements; one that searches the line `in_parts` needs to be told where these begin."""
        run = {"fencing_token": token, "lease_until": now + lease, "now": now}
        starts = _starts() if in_parts else ({},)
        row = next(filter(None, (taking.execute(**run, **start).fetchone() for start in starts)), None)
        task = read_model(cls, row[: len(cls._meta.sorted_fields)]) if row else None
        if task:
            transitions.tell(task, "started", task._how_it_starts())
            signals.announce(signals.started, task)
        return task

    def _how_it_starts(self) -> Phrase:
        if self.cursor:
            return phrases.CONTINUED(step=self.cursor["done"])
        return phrases.PICKED_UP_AGAIN(attempt=self.attempts) if self.attempts > 1 else phrases.PICKED_UP()


class _GiveWay(Exception):
    """Somebody else is to have this turn."""
