"""The open line: what is said of the fair queue while kinds are held. It reads none of the tasks that may not be taken.

What is asked of it costs a step in an index for each kind that waits, and as much as `fair_queue` otherwise.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from uuid import UUID

from peewee import SQL, Expression, ModelAlias, Select, fn

from tasks.engine.models.fair_share import waits
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.open_kinds import closed, crowded, firsts_of_pairs, open_names
from tasks.engine.models.party import party_of
from tasks.engine.models.row import TaskRow
from webapp.db import CompiledQuery, Param, compiled
from webapp.lib.times import utcnow

MOST_COUNTED = 100_000  # of a kind, while kinds are held


@dataclass(frozen=True)
class Hold:
    """Why a task that waits may not be taken: its kind is paused `until` then, or if None, as many run as may."""

    until: datetime | None = None
    reason: str = ""
    since: datetime | None = None


def holds(tasks: Iterable[TaskRow]) -> dict[UUID, Hold]:
    """What holds those of these tasks that wait and are held, by their ids. Two small queries."""
    controls = {control.name: control for control in KindControl.all()}
    running = _running()
    found: dict[UUID, Hold] = {}
    for task in tasks:
        if (control := controls.get(task.name)) and (hold := _hold(control, task, running)):
            found[task.id] = hold
    return found


def head(level: int, end: int) -> int | None:
    """The first key from one to another among the tasks that may be taken. One query."""
    key: int | None = _head.execute(level=level, end=end, now=utcnow()).fetchone()[0]
    return key


def numbers_between(keys: Sequence[int]) -> list[int]:
    """How many wait that may be taken, from each of these keys to the next. Two queries, compiled for so many.

    Those are left out whose person runs as many of the kind as one may: of each such pair, of which there are no more
    than tasks that run, up to MOST_COUNTED of that person's tasks are looked at.
    """
    places = {f"place{n}": key for n, key in enumerate(keys)}
    now, number = utcnow(), len(keys) - 1
    every = _between(number).execute(now=now, **places).fetchone()
    crowded = _crowded_between(number).execute(now=now, **places).fetchone()
    return [max(0, int(all_of_it or 0) - int(held or 0)) for all_of_it, held in zip(every, crowded, strict=True)]


def claimable_count() -> int:
    """How many tasks wait that may be taken now, or within a second. A few queries, of which none reads what is held.

    Where one person may run so many of a kind, it is rather too many for people who wait with fewer than that.
    """
    controls = {control.name: control for control in KindControl.all()}
    running = _running()
    total = 0
    for name, number in _numbers.execute(now=utcnow()).fetchall():
        control = controls.get(name)
        total += min([number, *_rooms(control, running)]) if control else number
    return total


def _hold(control: KindControl, task: TaskRow, running: Counter[tuple[str, int]]) -> Hold | None:
    if control.is_paused:
        return Hold(control.paused_until, control.reason, control.paused_at)
    in_all = sum(number for (name, _), number in running.items() if name == control.name)
    of_person = running[control.name, task.party]
    limits = (in_all, control.max_running), (of_person, control.max_running_per_person)
    return Hold() if any(limit is not None and number >= limit for number, limit in limits) else None


def _rooms(control: KindControl, running: Counter[tuple[str, int]]) -> Iterable[int]:
    """How many more of a kind may start, by each of its limits."""
    if control.max_running is not None:
        yield max(0, control.max_running - sum(n for (name, _), n in running.items() if name == control.name))
    if control.max_starts_per_second is not None:
        yield math.ceil(control.max_starts_per_second)
    if (most := control.max_running_per_person) is not None:
        parties = {party for (party,) in _parties.execute(name=control.name).fetchall()}
        yield sum(max(0, most - running[control.name, party]) for party in parties)


def _running() -> Counter[tuple[str, int]]:
    """How many run, by kind and party."""
    return Counter({(name, party): number for name, party, number in _runs.execute().fetchall()})


@compiled
def _runs() -> Select:
    runs = TaskRow.select(TaskRow.name, party_of(TaskRow), fn.COUNT(SQL("*")))
    return runs.where(TaskRow.fencing_token.is_null(False)).group_by(TaskRow.name, party_of(TaskRow))


@compiled
def _head() -> Select:
    names, is_open = open_names()
    found = TaskRow.alias("found")
    is_there = waits(found) & (found.name == names.c.name)
    is_between = (found.queue_key >= Param("level", int)) & (found.queue_key < Param("end", int))
    first = found.select(fn.MIN(found.queue_key)).where(is_there, is_between)
    return Select([names], [fn.MIN(first)]).with_cte(names).where(is_open)


@cache
def _between(number: int) -> CompiledQuery:
    @compiled
    def between() -> Select:
        names, is_open = open_names()
        found = TaskRow.alias("found")
        key, of_kind = found.queue_key, waits(found) & (found.name == names.c.name)
        places = [Param(f"place{n}", int) for n in range(number + 1)]
        counts = [_count(found, of_kind & (key >= start) & (key < end)) for start, end in pairwise(places)]
        return Select([names], [fn.SUM(count) for count in counts]).with_cte(names).where(is_open)

    return between


@cache
def _crowded_between(number: int) -> CompiledQuery:
    """How many of these wait of open kinds for whom they are held by the limit of one person."""

    @compiled
    def between() -> Select:
        found, places = TaskRow.alias("found"), [Param(f"place{n}", int) for n in range(number + 1)]
        pairs = crowded().alias("pairs")
        name, party = SQL("pairs.name"), SQL("pairs.party")
        counts = []
        for start, end in pairwise(places):
            theirs = waits(found) & (party_of(found) == party) & (found.queue_key >= start) & (found.queue_key < end)
            some = found.select(found.name.alias("kind")).where(theirs).order_by(found.queue_key).limit(MOST_COUNTED)
            some = some.alias("some")
            counts.append(Select([some], [fn.COUNT(SQL("*"))]).where(some.c.kind == name))
        is_open = name.not_in(closed(but_for_pace=True))
        return Select([pairs], [fn.SUM(count) for count in counts]).where(is_open)

    return between


def _count(found: "ModelAlias[TaskRow]", which: Expression) -> Select:
    """How many, up to MOST_COUNTED. By the order and the limit, PostgreSQL reads the index and not the table."""
    some = found.select(SQL("1")).where(which).order_by(found.queue_key).limit(MOST_COUNTED).alias("some")
    return Select([some], [fn.COUNT(SQL("*"))])


@compiled
def _numbers() -> Select:
    names, is_open = open_names()
    found = TaskRow.alias("found")
    number = _count(found, waits(found) & (found.name == names.c.name))
    return Select([names], [names.c.name, number]).with_cte(names).where(is_open)


@compiled
def _parties() -> Select:
    found = TaskRow.alias("found")
    return firsts_of_pairs(found, party_of(found)).where(found.name == Param("name"))
