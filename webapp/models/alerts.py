"""Alerts: the tasks that every page of a person shows beside it, by index, however many tasks they have."""

from functools import reduce
from operator import add
from typing import Any
from uuid import UUID

from peewee import SQL, ModelSelect, Select, Value, fn

from tasks.engine.models.state import ACTIVE, LEASED, State
from tasks.engine.models.task import Task
from webapp.db import Param, compiled
from webapp.models.counting import MOST_COUNTED
from webapp.models.user import User

MOST_ALERTS = 10  # at once
NO_TASK = UUID(int=0)

# In this order, from the first of each.
_RUNS, _IS_QUEUED, _RESTS, _ENDED, _IS_SCHEDULED = range(5)


def latest_alerts(user: User, most: int) -> list[Task]:
    """Running tasks, then queued ones, then finished ones from the latest, then scheduled ones; at most MOST_ALERTS.

    Two queries: one that looks at a few tasks in each state, and one for those that are wanted.
    """
    rows = sorted(_candidates.execute(user_id=user.id).fetchall(), key=lambda row: row[:1] + row[2:])
    ended = sorted((row for row in rows if row[0] == _ENDED), key=lambda row: row[3], reverse=True)
    order = [row for row in rows if row[0] < _ENDED] + ended + [row for row in rows if row[0] > _ENDED]
    ids = [UUID(str(row[1])) for row in order[:most]]
    found = {task.id: task for task in Task.by_ids(ids)}
    return [found[task_id] for task_id in ids if task_id in found]


def count_alerts(user: User, but: UUID = NO_TASK) -> int:
    """How many tasks have an alert, one task left out; counted a little further than MOST_COUNTED. One query."""
    return int(_number.first(user_id=user.id, but=but)[0])


def _active(*conditions: Any) -> "ModelSelect[Task]":
    return _shown(Task.finished_at.is_null(), *conditions)


def _ended() -> "ModelSelect[Task]":
    return _shown(Task.finished_at.is_null(False), Task.dismissed_at.is_null())  # only what has ended is dismissed


def _shown(*conditions: Any) -> "ModelSelect[Task]":
    return Task.select().where(Task.user == Param("user_id"), Task.parent.is_null(), ~Task.hidden, *conditions)


def _first(rank: int, found: "ModelSelect[Task]", time: Any, *order: Any) -> Any:
    """The first few of these, each with its rank and what it is sorted by."""
    turn = fn.COALESCE(Task.queue_key, 0).alias("turn")
    some = found.select(Value(rank).alias("rank"), Task.id, turn, time.alias("at"))
    few = some.order_by(*order).limit(MOST_ALERTS).alias("few")
    return Select([few], [few.c.rank, few.c.id, few.c.turn, few.c.at])


@compiled
def _candidates() -> Any:
    at, ended = Task.created_at, Task.finished_at
    ranks = {state: _RUNS if state in LEASED else _RESTS for state in sorted(ACTIVE)} | {State.SCHEDULED: _IS_SCHEDULED}
    del ranks[State.PENDING]
    by_age = [_first(rank, _active(Task.state == state), at, at, Task.id) for state, rank in ranks.items()]
    queued = _first(_IS_QUEUED, _active(Task.state == State.PENDING), at, Task.queue_key)
    return reduce(add, [*by_age, queued, _first(_ENDED, _ended(), ended, ended.desc())])


@compiled
def _number() -> Any:
    others = Task.id != Param("but", Task.id.db_value)
    # State by state: SQLite would take the index of all tasks of the person for as good, and read hidden ones, too.
    active = [_active(Task.state == state) for state in sorted({*ACTIVE, State.SCHEDULED})]
    some = [found.where(others).select(SQL("1").alias("one")) for found in (*active, _ended())]
    both = reduce(add, some).limit(MOST_COUNTED + MOST_ALERTS + 1).alias("both")
    return Select([both], [fn.COUNT(SQL("*"))])
