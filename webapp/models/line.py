"""The line: in which order the tasks that wait are taken, where each stands, and how long that takes.

Who starts a thousand tasks must not keep another's one waiting. So each waiting task has a turn, as in start-time fair
queueing (Goyal, Vin, Cheng 1996): a person's tasks have turns one after the other, and a person's first has the turn of
whoever is at the head of the line. Workers take the smallest turn, so people with waiting tasks take turns. Nothing is
counted when a task is claimed, and there is no state to lose.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from peewee import fn

from webapp.models.state import HELD, State
from webapp.models.user import User
from webapp.times import utcnow

if TYPE_CHECKING:
    from webapp.models.task import Task

# A priority is worth more than all turns that there will ever be within one: the higher always goes first.
LEVEL = 1 << 40
PRIORITIES = range(-10, 11)
RECENT = 20  # finished tasks, from which to judge how long one takes


@dataclass(frozen=True)
class Place:
    """Where a waiting task stands. `ahead` counts the tasks before it; `wait` is seconds, or None if nobody can say."""

    ahead: int
    wait: float | None


def next_turn(model: "type[Task]", user_id: int, priority: int) -> int:
    """The turn for a task that joins the line now. Two small reads by index.

    Raises ValueError for a priority outside PRIORITIES.
    """
    if priority not in PRIORITIES:
        raise ValueError(f"a priority is from {PRIORITIES[0]} to {PRIORITIES[-1]}, not {priority}")
    first = -priority * LEVEL
    level = (model.state == State.PENDING) & (model.turn >= first) & (model.turn < first + LEVEL)
    head = model.select(fn.MIN(model.turn)).where(level).scalar()
    last = model.select(fn.MAX(model.turn)).where(level, model.user == user_id).scalar()
    return max(first if head is None else head, first if last is None else last + 1)


def length(model: "type[Task]") -> int:
    """How many tasks wait for a worker. One query, by index."""
    return int(model.select().where(model.state == State.PENDING, model.turn.is_null(False)).count())


def places(tasks: "list[Task]") -> dict[UUID, Place]:
    """Where those of these tasks stand that wait. Two queries; none when none of them waits."""
    waiting = [task for task in tasks if task.state == State.PENDING and task.turn is not None]
    if not waiting:
        return {}
    model = type(waiting[0])
    other: Any = model.alias()
    before = other.select(fn.COUNT(other.id)).where(other.state == State.PENDING, other.turn < model.turn)
    found: Any = model.select(model.id, before.alias("ahead")).where(model.id.in_([task.id for task in waiting]))
    pace = _seconds_per_task(model)
    return {task_id: Place(ahead, pace and pace * (ahead + 1)) for task_id, ahead in found.tuples()}


def _seconds_per_task(model: "type[Task]") -> float | None:
    """How often a task is taken, from how long recent ones took and how many run now: while some wait, all workers do.

    None where nothing has finished in the last hour.
    """
    recent = (
        model.select(model.worked)
        .where(model.quiet.in_([False]), model.finished_at > utcnow() - timedelta(hours=1), model.worked > 0)
        .order_by(model.finished_at.desc())
        .limit(RECENT)
        .alias("recent")
    )
    running = model.select(fn.COUNT(model.id)).where(model.state.in_(HELD), model.lease_until.is_null(False))
    query: Any = model.select(fn.AVG(recent.c.worked), running.alias("running")).from_(recent)
    mean, workers = query.tuples().get()
    return float(mean) / max(1, workers) if mean is not None else None


def tell_waiting(model: "type[Task]", soon: timedelta, moved: bool) -> None:
    """Let the pages of people who wait ask again: for their place in a line that `moved`, or an attempt that is `soon`.

    One write. What those pages show has changed without anything happening to their own tasks.
    """
    waits = (model.state == State.RETRYING) & (model.run_at < utcnow() + soon)
    if moved:
        waits |= (model.state == State.PENDING) & model.turn.is_null(False)
    waiting = model.select(model.user).where(waits, ~model.quiet)
    User.update(changes=User.changes + 1).where(User.id.in_(waiting)).execute()


def mark(model: "type[Task]") -> tuple[int, int | None]:
    """The length of the line and the turn at its head, which seldom stay the same when it moves."""
    head = model.select(fn.MIN(model.turn)).where(model.state == State.PENDING).scalar()
    return length(model), head
