"""The schedule: what everybody's tasks wait for a time to do, the soonest first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tasks.engine.models.state import TIMED
from tasks.engine.models.task import Task

MOST_LOOKED_THROUGH = 2000  # tasks of a person in each state, where those of one kind are wanted

Place = tuple[datetime, UUID]


def upcoming(size: int, after: Place | None = None, kind: str = "", owner: int | None = None) -> tuple[list[Task], Any]:
    """At most so many tasks that are scheduled or to be tried again, and the place where that ends, if there are more.

    By an index of what is due; those of a kind and a person are looked for among the next MOST_LOOKED_THROUGH of that
    person, so there may be fewer, or none, and more to come. Two queries for each state, at most.
    """
    found: list[Task] = []
    ends: list[Place] = []
    for state in sorted(TIMED):
        query = Task.select().where(Task.state == state, Task.run_at.is_null(False)).order_by(Task.run_at, Task.id)
        if after:
            at, last_id = after
            query = query.where(Task.run_at >= at, (Task.run_at > at) | (Task.id > last_id))
        if owner is not None:
            query = query.where(Task.user == owner)
        elif kind:
            query = query.where(Task.name == kind)
        wanted = query
        if kind and owner is not None:
            some = query.select(Task.id).limit(MOST_LOOKED_THROUGH)
            wanted = Task.select().where(Task.id.in_(some), Task.name == kind).order_by(Task.run_at, Task.id)
            last = query.select(Task.run_at, Task.id).offset(MOST_LOOKED_THROUGH - 1).limit(1).first()
            ends += [(last.run_at, last.id)] if last else []
        found.extend(wanted.limit(size + 1))
    found.sort(key=lambda task: (task.run_at, task.id))
    end = min(ends, default=None)  # beyond it, not all in each state have been looked at
    seen = [task for task in found if end is None or (task.run_at, task.id) <= end]
    if len(seen) > size:
        return seen[:size], (seen[size - 1].run_at, seen[size - 1].id)
    return seen, end
