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
from webapp.lib.histogram import Histogram, merged
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
from webapp.models.statistics.ended import ended_from, ended_in

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

    def end(self, number: int, wait: tuple[int | None, float | None], run: tuple[int | None, float | None]) -> None:
        """So many tasks more have ended, with their waits in one bucket and their runs in one, and the sums of both."""
        self.count += number
        self.wait_ms += round(wait[1] or 0)
        self.run_ms += round(run[1] or 0)
        for histogram, (bucket, _) in ((self.waits, wait), (self.runs, run)):
            if bucket is not None:
                histogram[bucket] = histogram.get(bucket, 0) + number

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
            Rollup.update(seen=closed).where(Rollup.name == NAME).execute()
            return True
        recompute(minute)
        _finalize(until, minute + MINUTE)
        return False


def recompute(minute: datetime) -> None:
    """Replace the rows of a minute by what the tasks say that ended in it. Call it in a transaction."""
    sums: dict[tuple[object, ...], _Sum] = defaultdict(_Sum)
    for kind, outcome, wait, run, number, wait_ms, run_ms in ended_in(minute, minute + MINUTE):
        for name in (kind, ALL_KINDS):
            sums[name, outcome].end(number, (wait, wait_ms), (run, run_ms))
    TaskMinute.delete().where(TaskMinute.at == minute).execute()
    _insert(TaskMinute, {(kind, minute, outcome): each for (kind, outcome), each in sums.items()})


def _lock(closed: datetime) -> datetime:
    """Wait until no other rollup is at it. Until when all is final.

    A clock that goes back by less than an hour is waited for: what is in the totals is not to be added again.
    """
    locked = Rollup.update(until=Rollup.until).where(Rollup.name == NAME).returning(Rollup.until).execute()
    for row in locked:
        return row.until if row.until < closed + WAITED_FOR else closed - OPEN * MINUTE
    first = min(_next_end(datetime.min, closed) or closed, closed - OPEN * MINUTE)
    Rollup.insert(name=NAME, since=first, until=first, seen=closed).on_conflict_ignore().execute()
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
        LineHour.joined(at, rows).save(force_insert=True)


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


def _next_end(since: datetime, before: datetime) -> datetime | None:
    """The first minute in which a task ended in this time. Two small reads by index."""
    first = [TaskRow.select(fn.MIN(TaskRow.finished_at)).where(which).scalar() for which in ended_from(since, before)]
    return min((floor(at, MINUTE) for at in first if at), default=None)
