"""The rollup: recomputes the numbers of the last closed minutes from the tasks that ended in them.

A minute is recomputed three times, since a task may be committed a while after the moment that it says it ended at;
then it is final, and is added to its hour and to the totals, once. Each minute is replaced in one transaction, which
reads the tasks that ended in it by index. To do it again changes nothing, and two that do it at once wait for each
other. What no sweeper saw, since none ran or the release before did not count, is caught up on from the tasks that are
still there, oldest first; so are the 30 days before this was installed, without the internal ones.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from peewee import fn

from tasks.engine.models.row import TaskRow
from webapp.db import database, insert_rows
from webapp.lib.histogram import Histogram, bucket_of, merged
from webapp.lib.times import utcnow
from webapp.models.statistics.counts import (
    ALL_KINDS,
    LineHour,
    LineMinute,
    Rollup,
    TaskCount,
    TaskHour,
    TaskMinute,
    TaskTotal,
    floor,
)

MINUTE = TaskMinute.span
OPEN = 3  # closed minutes that are recomputed
NAME = "tasks"
WAITED_FOR = timedelta(hours=1)


class _Sum:
    """What becomes one row."""

    def __init__(self) -> None:
        self.count = self.wait_ms = self.run_ms = 0
        self.waits: Histogram = {}
        self.runs: Histogram = {}

    def end(self, wait: float | None, run: float | None) -> None:
        """One task more has ended."""
        self.count += 1
        if wait is not None:
            self.wait_ms += round(wait)
            _count(self.waits, wait)
        if run is not None:
            self.run_ms += round(run)
            _count(self.runs, run)

    def add(self, row: TaskCount | TaskTotal) -> None:
        """Whatever another row says."""
        self.count, self.wait_ms, self.run_ms = (
            self.count + row.count,
            self.wait_ms + row.wait_ms,
            self.run_ms + row.run_ms,
        )
        self.waits, self.runs = merged((self.waits, row.waits)), merged((self.runs, row.runs))

    def values(self) -> tuple[object, ...]:
        return self.count, self.wait_ms, self.run_ms, self.waits, self.runs


def roll_up(now: datetime | None = None, at_once: int = 60) -> bool:
    """Recompute what is not final, and catch up by at most so many minutes in which something ended.

    Returns whether that was all. Call it once a minute, in no transaction. Some ten short queries for each minute in
    which something ended, and 10 ms for each thousand tasks.
    """
    closed = floor(now or utcnow(), MINUTE)
    for back in range(1, OPEN + 1):
        with database.transaction():
            if closed - back * MINUTE >= _lock(closed):
                recompute(closed - back * MINUTE)
    return any(_catch_up(closed) for _ in range(at_once))


def _catch_up(closed: datetime) -> bool:
    """Take one minute more for final, or all but the latest if there is none left to recompute. Whether that was so."""
    oldest_open = closed - OPEN * MINUTE
    with database.transaction():
        until = _lock(closed)
        minute = _next_end(until, oldest_open) if until < oldest_open else None
        if minute is None:
            _finalize(until, oldest_open + MINUTE)
            return True
        recompute(minute)
        _finalize(until, minute + MINUTE)
        return False


def recompute(minute: datetime) -> None:
    """Replace the rows of a minute by what the tasks say that ended in it. Call it in a transaction."""
    sums: dict[tuple[object, ...], _Sum] = defaultdict(_Sum)
    for kind, outcome, ready_at, started_at, run_seconds in _ended(minute):
        wait = None
        if started_at and ready_at and started_at >= ready_at:
            wait = 1000 * (started_at - ready_at).total_seconds()
        run = None if started_at is None else 1000 * run_seconds
        for name in (kind, ALL_KINDS):
            sums[name, outcome].end(wait, run)
    TaskMinute.delete().where(TaskMinute.at == minute).execute()
    _insert(TaskMinute, {(kind, minute, outcome): each for (kind, outcome), each in sums.items()})


def _lock(closed: datetime) -> datetime:
    """Wait until no other rollup is at it. Until when all is final.

    A clock that goes back by less than an hour is waited for: what is in the totals is not to be added again.
    """
    locked = Rollup.update(until=Rollup.until).where(Rollup.name == NAME).returning(Rollup.until).execute()
    for row in locked:
        return row.until if row.until < closed + WAITED_FOR else closed - OPEN * MINUTE
    first = _next_end(datetime.min, closed) or closed
    Rollup.insert(name=NAME, until=min(first, closed - OPEN * MINUTE)).on_conflict_ignore().execute()
    return _lock(closed)


def _finalize(since: datetime, until: datetime) -> None:
    """The minutes from `since` are final: add them to the totals, and the hours that end by that to the hours."""
    if until <= since:
        return
    _add_to_totals(
        TaskMinute.select().where(TaskMinute.at >= since, TaskMinute.at < until, TaskMinute.kind != ALL_KINDS)
    )
    begin, end = floor(since, TaskHour.span), floor(until, TaskHour.span)
    if begin < end:
        _write_hours(begin, end)
        _write_line_hours(begin, end)
    Rollup.update(until=until).where(Rollup.name == NAME).execute()


def _write_hours(begin: datetime, end: datetime) -> None:
    hours: dict[tuple[object, ...], _Sum] = defaultdict(_Sum)
    for row in TaskMinute.select().where(TaskMinute.at >= begin, TaskMinute.at < end).iterator():
        hours[row.kind, floor(row.at, TaskHour.span), row.outcome].add(row)
    TaskHour.delete().where(TaskHour.at >= begin, TaskHour.at < end).execute()
    _insert(TaskHour, hours)


def _write_line_hours(begin: datetime, end: datetime) -> None:
    of_hour: dict[datetime, list[LineMinute]] = defaultdict(list)
    within = (LineMinute.at >= begin) & (LineMinute.at < end)
    for row in LineMinute.select().where(LineMinute.kind == ALL_KINDS, within).order_by(LineMinute.at):
        of_hour[floor(row.at, LineHour.span)].append(row)
    LineHour.delete().where(LineHour.at >= begin, LineHour.at < end).execute()
    for at, rows in of_hour.items():
        most = {name: max(getattr(row, name) for row in rows) for name in ("waiting", "oldest_wait", "workers")}
        mean = {name: round(sum(getattr(row, name) for row in rows) / len(rows)) for name in ("running", "capacity")}
        LineHour.insert(at=at, kind=ALL_KINDS, release=rows[-1].release, **most, **mean).execute()


def _add_to_totals(rows: Iterable[TaskMinute]) -> None:
    sums: dict[tuple[object, ...], _Sum] = defaultdict(_Sum)
    for row in rows:
        sums[row.kind, row.outcome].add(row)
    if not sums:
        return
    kinds = {kind for kind, _ in sums}
    for total in TaskTotal.select().where(TaskTotal.kind.in_(kinds)):
        sums[total.kind, total.outcome].add(total)
    TaskTotal.delete().where(TaskTotal.kind.in_(kinds)).execute()
    _insert(TaskTotal, sums)


def _insert(model: type[TaskCount] | type[TaskTotal], sums: dict[tuple[object, ...], _Sum]) -> None:
    key = [model.kind, *([model.at] if issubclass(model, TaskCount) else []), model.outcome]
    rest = [model.count, model.wait_ms, model.run_ms, model.waits, model.runs]
    insert_rows({}, [*key, *rest], [(*names, *each.values()) for names, each in sums.items()])


def _ended(minute: datetime) -> Iterable[tuple[str, str, datetime | None, datetime | None, float]]:
    """The tasks that ended in a minute, by the index of what is old; hidden ones too."""
    columns = TaskRow.name, TaskRow.state, TaskRow.ready_at, TaskRow.started_at, TaskRow.run_seconds
    for hidden in (False, True):
        within = (TaskRow.finished_at >= minute) & (TaskRow.finished_at < minute + MINUTE)
        query = TaskRow.select(*columns).where(TaskRow.hidden == hidden, within, TaskRow.name != "")
        yield from query.tuples().iterator()


def _next_end(since: datetime, before: datetime) -> datetime | None:
    """The first minute in which a task ended in this time. Two small reads by index."""
    found = []
    for hidden in (False, True):
        within = (TaskRow.finished_at >= since) & (TaskRow.finished_at < before)
        found.append(TaskRow.select(fn.MIN(TaskRow.finished_at)).where(TaskRow.hidden == hidden, within).scalar())
    return min((floor(at, MINUTE) for at in found if at), default=None)


def _count(histogram: Histogram, milliseconds: float) -> None:
    bucket = bucket_of(milliseconds)
    histogram[bucket] = histogram.get(bucket, 0) + 1
