"""Ordered parts: a list that comes together from several queries, each of which an index has in order."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any, cast
from uuid import UUID

from peewee import SQL, Select, Value, fn

from tasks.engine.models.task import Task
from webapp.db import Row, database, is_postgres

Place = tuple[datetime, UUID]  # of a row in the list; the list goes on after it
Key = UUID | str  # of a row in the database: SQLite has texts
LEAST_EACH = 1000
_LATEST_FIRST = SQL("time").desc(), SQL("key").desc()


def is_among(keys: Collection[Key]) -> Any:
    """The condition that a task has one of these ids. They are one parameter of the query, which so is compiled at once
    however many there are."""
    if is_postgres():
        return Task.id == fn.ANY(Value([*keys], unpack=False, converter=False))
    texts = [key.hex if isinstance(key, UUID) else key for key in keys]
    return Task.id.in_(Select([fn.json_each(json.dumps(texts))], [SQL("value")]))


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some of the tasks, the latest first by one of their times; no task is in two parts of a list.

    An index has the rows of `query` in that order. Of these, it is those from `begin` until before `end`, for which
    the `conditions` hold, too, which no index finds: they are looked for one by one. Those that `are_few` have no such
    index, and are sorted.
    """

    query: Any
    time: Any
    begin: datetime | None = None
    end: datetime | None = None
    conditions: tuple[Any, ...] = ()
    are_few: bool = False

    def between(self, after: Place | None, down_to: Place | None = None) -> Any:
        """The query for those from after a place down to another, whatever the conditions say.

        Of two conditions on the time the narrower alone: by what is said twice, SQLite takes another index.
        """
        time, key, span = self.time, Task.id, list[Any]()
        if after and not (self.end and self.end <= after[0]):
            # The first follows from the second, and is what an index finds the place by.
            span += [time <= after[0], (time < after[0]) | (key < after[1])]
        elif self.end:
            span.append(time < self.end)
        if down_to and not (self.begin and self.begin > down_to[0]):
            span += [time >= down_to[0], (time > down_to[0]) | (key >= down_to[1])]
        elif self.begin:
            span.append(time >= self.begin)
        query = self.query.where(*span) if span else self.query
        # By the field itself, a database might walk through all tasks in that order, until it meets these few.
        return query.order_by((fn.COALESCE(time, time) if self.are_few else time).desc(), key.desc())


@dataclass(frozen=True)
class OrderedParts:
    """A list of tasks. Where there are conditions, it is looked through down to a `floor`: so a page may be short, or
    empty, and not the last.

    No more than `most` rows are looked at, or LEAST_EACH of each part.
    """

    parts: tuple[Part, ...]
    most: int

    def page(self, after: Place | None, size: int) -> tuple[list[Task], Place | None]:
        """As many as there are on a page that begins after a place, and the place where it ends; None at the end.

        At most three queries: how far to look, the ids of tasks in several parts, and the tasks.
        """
        down_to = self._floor(after)
        found = self._latest(after, down_to, size + 1)
        tasks = [task for _, task in found[:size]]
        return (tasks, found[size - 1][0]) if len(found) > size else (tasks, down_to)

    def keys(self, after: Place | None, size: int) -> tuple[list[Key], Place | None]:
        """The same for very many: their ids alone, as the database has them. At most two queries.

        Their parts are merged row by row, so that many cost no more than one.
        """
        down_to = self._floor(after)
        each = [
            query.select(part.time.alias("time"), Task.id.alias("key"))
            for query, part in zip(self._wanted(after, down_to), self.parts, strict=True)
        ]
        if len(each) > 1:
            each = [reduce(add, [query.order_by() for query in each]).order_by(*_LATEST_FIRST)]
        found = list(database.execute(each[0].limit(size + 1)))
        return [key for _, key in found[:size]], self._place(found[size - 1]) if len(found) > size else down_to

    def _floor(self, after: Place | None) -> Place | None:
        """Down to where so many rows may be looked at: below none of the parts has so few. None if all have fewer, or
        nothing has to be looked for."""
        if not any(part.conditions and not part.are_few for part in self.parts):
            return None
        each = max(self.most // len(self.parts), min(self.most, LEAST_EACH))
        found = self._places([part.between(after) for part in self.parts], 1, each - 1)
        return found[0] if found else None

    def _latest(self, after: Place | None, down_to: Place | None, limit: int) -> list[tuple[Place, Task]]:
        queries = self._wanted(after, down_to)
        if len(queries) == 1:
            time, rows = self.parts[0].time.name, queries[0].limit(limit)
            return [((getattr(task, time), task.id), task) for task in rows]
        found = self._places(queries, limit)  # in one query: meanwhile a task may come from one part to another
        rows = {task.id: task for task in Task.by_ids([task_id for _, task_id in found])}
        return [(place, rows[place[1]]) for place in found if place[1] in rows]

    def _wanted(self, after: Place | None, down_to: Place | None) -> list[Any]:
        between = [(part.between(after, down_to), part.conditions) for part in self.parts]
        return [query.where(*conditions) if conditions else query for query, conditions in between]

    def _places(self, queries: list[Any], limit: int, offset: int = 0) -> list[Place]:
        """The latest places of all the queries, of each without so many."""
        times = [part.time for part in self.parts]
        each = [
            query.select(time.alias("time"), Task.id.alias("key")).limit(limit).offset(offset)
            for query, time in zip(queries, times, strict=True)
        ]
        query = each[0]
        if len(each) > 1:  # in a union, each with a limit of its own
            together: Any = reduce(add, [some.select_from(some.c.time, some.c.key) for some in each])
            query = together.order_by(*_LATEST_FIRST).limit(limit)
        return [self._place(row) for row in query.tuples()]

    def _place(self, row: Row) -> Place:
        return self.parts[0].time.python_value(row[0]), cast(Any, Task.id).python_value(row[1])
