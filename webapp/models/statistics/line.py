"""The line at this moment: what waits and for how long, what runs, and how much could."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from peewee import SQL, Expression, Select, fn

from tasks.engine.models.fair_share import waits
from tasks.engine.models.open_kinds import names_that_wait
from tasks.engine.models.row import TaskRow
from tasks.engine.models.worker import Worker
from webapp.db import Row, Untyped, database
from webapp.lib.times import utcnow
from webapp.models.statistics.counts import ALL_KINDS, LineMinute, floor
from webapp.models.statistics.named_kinds import OTHERS, name_of, named

COUNTED_AT_MOST = 100_000  # waiting tasks of a kind: it may also be more


@dataclass(frozen=True)
class Line:
    """What waits and runs of a kind, or in all. Waits are seconds; `oldest_wait` is 0 where none waits."""

    waiting: int = 0
    oldest_wait: int = 0
    running: int = 0


@dataclass(frozen=True)
class Capacity:
    """How many tasks all workers that live and take new ones can run together, how many workers that are, what the one
    runs that started last; and how many others live but are quiet."""

    capacity: int = 0
    workers: int = 0
    release: str = ""
    quiet: int = 0


def lines(now: datetime | None = None, also: Collection[str] = ()) -> dict[str, Line]:
    """Each kind of which something waits or runs, and OTHERS; see `named_kinds`. A workflow is no part of it; its
    children are.

    Two small queries, and one more for each kind that waits and has a name in it, of an index alone; it walks the first
    COUNTED_AT_MOST of the kind in line, among which that one is looked for that has waited longest. One more for all
    others, if there are any: that walks the whole line.
    """
    now, running = now or utcnow(), _running()
    waiting = _kinds_that_wait()
    those = named({*waiting, *running}, also)
    found: dict[str, Line] = {}
    for kind in waiting:
        if kind in those:
            found[kind] = _line(now, *_waiting(TaskRow.name == kind), running.pop(kind, 0))
    if not those.issuperset(waiting):
        others = (TaskRow.name > "") & TaskRow.name.not_in(those)
        found[OTHERS] = _line(now, *_waiting(others), 0)
    for kind, number in running.items():
        name = name_of(kind, those)
        found[name] = replace(line := found.get(name, Line()), running=line.running + number)
    return found


def _line(now: datetime, waiting: int, since: datetime | None, running: int) -> Line:
    return Line(waiting, max(0, int((now - since).total_seconds())) if since else 0, running)


def total(found: dict[str, Line]) -> Line:
    """All kinds together."""
    each = found.values()
    oldest = max((line.oldest_wait for line in each), default=0)
    return Line(sum(line.waiting for line in each), oldest, sum(line.running for line in each))


def capacity(now: datetime | None = None) -> Capacity:
    """What the workers can do that live, but for those that are quiet. One query over their few rows."""
    alive = list(Worker.select().where(Worker.lives_until > (now or utcnow())).order_by(Worker.started_at))
    able = [worker for worker in alive if worker.quiet_at is None]
    release = (able[-1].release or "") if able else ""
    return Capacity(sum(worker.processes for worker in able), len(able), release, len(alive) - len(able))


def sample(now: datetime | None = None) -> None:
    """Keep what waits and runs now as this minute's, unless it has that. Costs what `lines` does, and one write."""
    now = now or utcnow()
    at, found, able = floor(now, LineMinute.span), lines(now), capacity(now)
    whole = {"capacity": able.capacity, "workers": able.workers, "release": able.release}
    none = {"capacity": 0, "workers": 0, "release": ""}
    rows = [{"at": at, "kind": kind, **asdict(line), **none} for kind, line in found.items()]
    rows.append({"at": at, "kind": ALL_KINDS, **asdict(total(found)), **whole})
    with database.transaction():
        LineMinute.insert_many(rows).on_conflict_ignore().execute()


def _running() -> dict[str, int]:
    """How many of each kind a worker holds; these are never many."""
    # By the index of those that a run holds: with statistics, SQLite would rather read every row than go by the state.
    held = TaskRow.fencing_token.is_null(False) & (TaskRow.name != "")
    rows: Iterable[Row] = TaskRow.select(TaskRow.name, fn.COUNT(SQL("*"))).where(held).group_by(TaskRow.name).tuples()
    return {kind: number for kind, number in rows}


def _kinds_that_wait() -> list[str]:
    """From one to the next by index. Not workflows, which have no name. One query."""
    names = names_that_wait()
    query = Select([names], [names.c.name]).with_cte(names).where(names.c.name > "")
    return [name for (name,) in database.execute(query)]


def _waiting(those: Expression) -> tuple[int, datetime | None]:
    """How many of these wait, and since when the one does that has waited longest, of the first in line."""
    line = TaskRow.select(TaskRow.ready_at.alias("since")).where(waits(TaskRow), those)
    some = line.order_by(TaskRow.queue_key).limit(COUNTED_AT_MOST).alias("some")
    number, since = database.execute(Select([some], [fn.COUNT(SQL("*")), fn.MIN(some.c.since)])).fetchone()
    read: Untyped = TaskRow.ready_at
    return int(number), read.python_value(since)
