"""The fair queue: in which order waiting tasks are taken, the position of each, and how long that takes.

A person who starts a thousand tasks must not keep somebody else's one waiting. So each waiting task has a queue key,
as in start-time fair queueing (Goyal, Vin, Cheng 1996): a person's tasks have keys one after the other, and their first
has the key of the task at the head. Workers take the smallest key, so that people with waiting tasks take turns.
Nothing is counted when a task is claimed, and there is no state to lose. Owners of one `queue_group` are one person
here: a *party* is who takes turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from peewee import SQL, Case, Expression, ModelSelect, Select, chunked, fn

from tasks.engine.models import open_line
from tasks.engine.models.fair_share import LAST
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.line_start import LineStart
from tasks.engine.models.open_kinds import any_control
from tasks.engine.models.open_line import Hold
from tasks.engine.models.party import party_of
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from webapp.db import CompiledQuery, Param, compiled
from webapp.lib.times import utcnow

# A priority is worth more than all turns that there will ever be within one: the higher always goes first.
LEVEL = 1 << 40
PRIORITIES = range(-10, 11)
FIRST = -LEVEL * (PRIORITIES[-1] + 1)  # before every turn
MOST_POSITIONS = 200  # in one query
RECENT = 20  # finished tasks, from which to judge how long one takes

_heads = {priority: LineStart() for priority in PRIORITIES}


@dataclass(frozen=True)
class QueuePosition:
    """Where a waiting task stands. `ahead` counts the tasks before it; `wait` is seconds, or None if nobody can say.

    One that a `hold` keeps from being taken stands nowhere: nothing is ahead of it, and none counts it.
    """

    ahead: int
    wait: float | None
    hold: Hold | None = None


def next_queue_key(party: int, priority: int) -> int:
    """The turn for a task of theirs that joins the line now. One query, of two small reads by index.

    Many that join one after the other look for the head from where it was a moment ago, as workers do: what was taken
    before that need not be passed each time. One query more while kinds are held: their tasks, which may be at the head
    for long, would let whoever joins go before all others. Raises ValueError for a priority outside PRIORITIES.
    """
    if priority not in PRIORITIES:
        raise ValueError(f"a priority is from {PRIORITIES[0]} to {PRIORITIES[-1]}, not {priority}")
    first = -priority * LEVEL
    start = _heads[priority].known()
    places = {"place0": first, "place1": first if start is None else start, "place2": first + LEVEL}
    head, last, is_any_controlled = _ends.execute(**places, party=party).fetchone()
    if is_any_controlled:
        head = open_line.head(first, first + LEVEL)
    elif start is None:
        _heads[priority].found(head)
    return max(first if head is None else head, first if last is None else last + 1)


def first_key() -> int | None:
    """The key at the head of the line; None when nothing waits. One query, by index."""
    key: int | None = _first_key.execute().fetchone()[0]
    return key


def level_of(key: int) -> int:
    """The first key that tasks of the same priority may have."""
    return key // LEVEL * LEVEL


def waiting_count() -> int:
    """How many tasks wait for a worker. One query, by index."""
    return int(TaskRow.select().where(TaskRow.state == State.PENDING, TaskRow.queue_key.is_null(False)).count())


def claimable_count() -> int:
    """How many tasks wait for a worker that may be taken. Two queries, by index; a few more while kinds are held."""
    return open_line.claimable_count() if KindControl.is_any() else waiting_count()


def is_any_waiting() -> tuple[bool, bool]:
    """Whether any task waits for a worker, and whether anything is decided of any kind. One small read, by index."""
    is_any, is_any_held = _any_waiting.execute().fetchone()
    return bool(is_any), bool(is_any_held)


def positions(tasks: Sequence[TaskRow]) -> dict[UUID, QueuePosition]:
    """Where those of these tasks stand that wait, and how long that takes by how long recent ones took.

    One query, in which each waiting task is counted once at most; one more for every MOST_POSITIONS after the first.
    While kinds are held, whose tasks are not counted, twice as many and two. None when none of them waits.
    """
    key_of = {task.id: task.queue_key for task in tasks if task.state == State.PENDING and task.queue_key is not None}
    keys = sorted({*key_of.values()})
    ahead: dict[int, int] = {}
    found, pace, low, is_any_controlled = 0, None, FIRST, False
    for some in chunked(keys, MOST_POSITIONS):
        places = {f"place{n}": key for n, key in enumerate([low, *some])}
        row = _between(len(some)).execute(ended_after=utcnow() - timedelta(hours=1), **places).fetchone()
        mean, workers, is_any_controlled, *between = row
        if is_any_controlled:
            between = open_line.numbers_between([low, *some])
        for key, number in zip(some, between, strict=True):
            low, found = key, found + number
            ahead[key] = found
        # While some wait, all workers are at it: so often one is taken.
        pace = float(mean) / max(1, workers) if mean is not None else None
    held = open_line.holds(task for task in tasks if task.id in key_of) if is_any_controlled else {}
    return {
        task_id: QueuePosition(0, None, held[task_id])
        if task_id in held
        else QueuePosition(ahead[key], pace and pace * (ahead[key] + 1))
        for task_id, key in key_of.items()
    }


@compiled
def _first_key() -> Select:
    return TaskRow.select(fn.MIN(TaskRow.queue_key)).where(TaskRow.state == State.PENDING)


@compiled
def _any_waiting() -> Select:
    waiting = TaskRow.select(SQL("1")).where(TaskRow.state == State.PENDING, TaskRow.queue_key.is_null(False))
    return Select(columns=[fn.EXISTS(waiting), any_control()])


@compiled
def _ends() -> Select:
    """The first key from `place1` to `place2`, or if there is none, from `place0`; and the last one of a party."""
    head, before = (TaskRow.select(fn.MIN(TaskRow.queue_key)).where(_is_between(n)) for n in (1, 0))
    last = TaskRow.select(fn.MAX(TaskRow.queue_key)).where(_is_between(0, 2), party_of(TaskRow) == Param("party"))
    return Select(columns=[fn.COALESCE(head, before), last, any_control()])


@cache
def _between(number: int) -> CompiledQuery:
    """The mean of what the RECENT tasks took, how many run, and how many wait from each of so many places to the next.

    Each range counts by the index of the line alone. The places are `place0`, `place1`, …
    """

    @compiled
    def between() -> Select:
        # Compared, not negated: SQLite finds no index by a negation.
        ended = (TaskRow.hidden == False) & (TaskRow.finished_at > Param("ended_after"))  # noqa: E712
        took = TaskRow.select(TaskRow.run_seconds).where(ended, TaskRow.run_seconds > 0)
        recent = took.order_by(TaskRow.finished_at.desc()).limit(RECENT).alias("recent")
        pace = Select([recent], [fn.AVG(recent.c[TaskRow.run_seconds.column_name])])
        running = _number(TaskRow.fencing_token.is_null(False))
        return Select(
            columns=[pace, running, any_control(), *(_unless_held(_number(_is_between(n))) for n in range(number))]
        )

    return between


def _is_between(n: int, end: int = 0) -> Expression:
    """Whether a task waits from one of the places to the next, or to that `end`."""
    key, place, following = TaskRow.queue_key, Param(f"place{n}", int), Param(f"place{end or n + 1}", int)
    return (TaskRow.state == State.PENDING) & (key >= place) & (key < following)


def _unless_held(number: Select) -> Case:
    """That number, which is not counted while kinds are held."""
    return Case(None, [(~any_control(), number)])


def _number(which: Expression) -> "ModelSelect[TaskRow]":
    return TaskRow.select(fn.COUNT(SQL("*"))).where(which)


def snapshot() -> tuple[int, int | None]:
    """The length of the line and the turn at its head, which seldom stay the same when it moves."""
    if KindControl.is_any():
        return open_line.claimable_count(), open_line.head(FIRST, LAST)
    return waiting_count(), first_key()
