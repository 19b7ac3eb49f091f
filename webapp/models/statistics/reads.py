"""What charts, tables and alerts read of the numbers. Nothing here reads a task."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import chain, groupby

from peewee import Database

from tasks.engine.models.state import State
from webapp.db import database
from webapp.lib.histogram import Histogram, percentile
from webapp.lib.times import utcnow
from webapp.models.statistics.count_rows import Count, some_counts
from webapp.models.statistics.counts import (
    ALL_KINDS,
    LineCount,
    LineHour,
    LineMinute,
    Rollup,
    TaskHour,
    TaskMinute,
    floor,
    in_one,
)
from webapp.models.statistics.named_kinds import name_of, named

ONE = timedelta(microseconds=1)


class Range(StrEnum):
    """For how long back a chart goes. The value is what URLs say."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


@dataclass(frozen=True)
class RangeRow:
    """How long a range is, and how long each of its points; from hours or from minutes. At most 120 points."""

    length: timedelta
    step: timedelta
    from_hours: bool


RANGES = {
    Range.HOUR: RangeRow(timedelta(hours=1), timedelta(minutes=1), False),
    Range.DAY: RangeRow(timedelta(days=1), timedelta(minutes=15), False),
    Range.WEEK: RangeRow(timedelta(days=7), timedelta(hours=2), True),
    Range.MONTH: RangeRow(timedelta(days=30), timedelta(hours=6), True),
}


@dataclass
class Numbers:
    """What ended in some time, of one kind or of all. Percentiles are milliseconds, None without any."""

    ended: dict[str, int] = field(default_factory=dict)  # by outcome, a value of State
    wait_ms: int = 0
    run_ms: int = 0
    waits: Histogram = field(default_factory=dict)
    runs: Histogram = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many ended, in whatever way."""
        return sum(self.ended.values())

    @property
    def failed(self) -> int:
        """How many failed for good."""
        return self.ended.get(State.FAILED, 0)

    @property
    def failure_share(self) -> float | None:
        """Which share, 0 to 1, of those failed that were not canceled; None where there were none."""
        done = self.failed + self.ended.get(State.SUCCEEDED, 0)
        return self.failed / done if done else None

    def wait(self, share: float) -> float | None:
        """The wait that this share of those that a worker took had at most."""
        return percentile(self.waits, share)

    def run(self, share: float) -> float | None:
        """The time that this share of those that ran took at most."""
        return percentile(self.runs, share)


@dataclass
class Point:
    """One point of a series: what ended from `at` on, and the line then, joined; each None where nobody knows."""

    at: datetime
    numbers: Numbers | None = None
    line: LineCount | None = None


def series(which: Range, now: datetime | None = None, kind: str = ALL_KINDS) -> list[Point]:
    """The points of a range, of one kind or of all, oldest first, at multiples of its step; the last may lie in the
    present.

    Three queries, one more from hours. They read at most 3 × 1,440 + 1,440 rows for a day, of minutes, and a quarter
    of that for the others.
    """
    row, end = RANGES[which], floor(now or utcnow(), TaskMinute.span)
    begin = end - row.length + (datetime.min - end + row.length) % row.step
    known = Rollup.get_or_none()
    points = {at: Point(at) for at in (begin + n * row.step for n in range((end - begin - ONE) // row.step + 1))}
    for at, point in points.items():
        if known and at + row.step > known.since and at < known.seen:
            point.numbers = Numbers()
    ended: dict[datetime, list[Count]] = defaultdict(list)
    for count in _counts(begin, end, known, row.from_hours, kind):
        ended[floor(count.at, row.step)].append(count)
    for at, counts in ended.items():
        points[at].numbers = _sum(counts)
    for at, lines in groupby(_lines(begin, end, row.from_hours, kind), lambda line: floor(line.at, row.step)):
        points[at].line = LineHour.joined(at, list(lines))
    return list(points.values())


def by_kind(since: datetime, now: datetime | None = None, also: Collection[str] = ()) -> dict[str, Numbers]:
    """What ended since then, by kind, and of OTHERS; see `named_kinds`. Two queries: hours where they are closed,
    minutes before and after these.

    A time of less than three hours ago is to the minute, and any other to the hour in which it lies. Closed hours are
    read once in a process, as they do not change any more.
    """
    now = now or utcnow()
    found: dict[str, list[Count]] = defaultdict(list)
    is_long = now - since >= timedelta(hours=3)
    begin = floor(since, TaskHour.span if is_long else TaskMinute.span)
    if is_long and (until := final_until()):
        closed = max(begin, floor(until, TaskHour.span))
        for hours in _closed_hours(database.obj, begin, closed):
            found[hours.kind].append(hours)
        begin = closed
    for row in some_counts(TaskMinute, begin, now, None):
        found[row.kind].append(row)
    those, told = named(found, also), defaultdict[str, list[Count]](list)
    for kind, rows in found.items():
        told[name_of(kind, those)] += rows
    return {kind: _sum(rows) for kind, rows in sorted(told.items())}


@lru_cache(8)
def _closed_hours(_: Database, begin: datetime, end: datetime) -> list[Count]:
    """All these hours in one, of each kind and outcome. Of this database: a process may come to have another."""
    parts: dict[tuple[str, str], list[Count]] = defaultdict(list)
    for row in some_counts(TaskHour, begin, end, None):
        parts[row.kind, row.outcome].append(row)
    return [_in_one(kind, outcome, _sum(rows)) for (kind, outcome), rows in parts.items()]


def _in_one(kind: str, outcome: str, sums: Numbers) -> Count:
    waits, runs = map(TaskHour.waits.db_value, (sums.waits, sums.runs))
    return Count(kind, datetime.min, outcome, sums.count, sums.wait_ms, sums.run_ms, waits, runs)


def progress() -> Rollup | None:
    """How far the numbers go; None where there are none yet. One query."""
    return Rollup.get_or_none()


def final_until() -> datetime | None:
    """What ended before is counted for good; None where nothing is yet. One query."""
    return found.until if (found := progress()) else None


def _counts(begin: datetime, end: datetime, known: Rollup | None, from_hours: bool, kind: str) -> Iterable[Count]:
    """Hours as far as they are closed, and minutes of the rest, of a kind or of all."""
    hours: Iterable[Count] = ()
    if from_hours and known:
        closed = max(begin, floor(known.until, TaskHour.span))
        hours, begin = some_counts(TaskHour, begin, closed, kind), closed
    return chain(hours, some_counts(TaskMinute, begin, end, kind))


def _lines(begin: datetime, end: datetime, from_hours: bool, kind: str) -> Iterable[LineCount]:
    model = LineHour if from_hours else LineMinute
    return model.select().where(model.kind == kind, model.at >= begin, model.at < end).order_by(model.at)


def _sum(rows: Sequence[Count]) -> Numbers:
    numbers = Numbers(waits=in_one(row.waits for row in rows), runs=in_one(row.runs for row in rows))
    for row in rows:
        numbers.ended[row.outcome] = numbers.ended.get(row.outcome, 0) + row.number
        numbers.wait_ms, numbers.run_ms = numbers.wait_ms + row.wait_ms, numbers.run_ms + row.run_ms
    return numbers
