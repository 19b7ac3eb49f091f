"""What charts, tables and alerts read of the numbers. Nothing here reads a task."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from tasks.engine.models.state import State
from webapp.lib.histogram import Histogram, merged, percentile
from webapp.lib.times import utcnow
from webapp.models.statistics.counts import (
    ALL_KINDS,
    LineCount,
    LineHour,
    LineMinute,
    Rollup,
    TaskCount,
    TaskHour,
    TaskMinute,
    floor,
)


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
    """One point of a series: what ended from `at` on, and the line then, None where nobody looked."""

    at: datetime
    numbers: Numbers
    line: LineCount | None


def series(which: Range, now: datetime | None = None) -> list[Point]:
    """The points of a range, oldest first; the last is the one that `now` closes or lies in. Two queries; three from
    hours. At most 3 × 1,440 rows for a day, of minutes; 3 × 720 for 30 days, of hours."""
    row, now = RANGES[which], now or utcnow()
    end = floor(now, TaskMinute.span)
    begin = floor(end - row.length, row.step) + (row.step if row.length % row.step == timedelta(0) else timedelta(0))
    points: dict[datetime, Point] = {}
    at = begin
    while at < end or not points:
        points[at] = Point(at, Numbers(), None)
        at += row.step
    counts = _counts(begin, end, row.from_hours, TaskMinute.kind == ALL_KINDS, TaskHour.kind == ALL_KINDS)
    for count in counts:
        if found := points.get(floor(count.at, row.step)):
            _add(found.numbers, [count])
    for line in _lines(begin, row.from_hours):
        if found := points.get(floor(line.at, row.step)):
            found.line = line if found.line is None else _worse(found.line, line)
    return list(points.values())


def by_kind(since: datetime, now: datetime | None = None) -> dict[str, Numbers]:
    """What ended since then, by kind. Two queries: hours where they are closed, minutes before and after these.

    A time of less than three hours ago is to the minute, and any other to the hour in which it lies.
    """
    now = now or utcnow()
    found: dict[str, list[TaskCount]] = defaultdict(list)
    is_long = now - since >= timedelta(hours=3)
    begin = floor(since, TaskHour.span if is_long else TaskMinute.span)
    for row in _counts(begin, now, is_long, TaskMinute.kind != ALL_KINDS, TaskHour.kind != ALL_KINDS):
        found[row.kind].append(row)
    return {kind: _add(Numbers(), rows) for kind, rows in sorted(found.items())}


def final_until() -> datetime | None:
    """Until when the numbers do not change any more; None where there are none yet. One query."""
    found = Rollup.get_or_none()
    return found.until if found else None


def _counts(
    begin: datetime, end: datetime, from_hours: bool, of_minutes: object, of_hours: object
) -> Iterable[TaskCount]:
    hours: Iterable[TaskCount] = ()
    if from_hours and (until := final_until()):
        closed = max(begin, floor(until, TaskHour.span))
        hours = TaskHour.select().where(of_hours, TaskHour.at >= begin, TaskHour.at < closed)
        begin = closed
    return chain(hours, TaskMinute.select().where(of_minutes, TaskMinute.at >= begin, TaskMinute.at < end))


def _lines(begin: datetime, from_hours: bool) -> Iterable[LineCount]:
    model = LineHour if from_hours else LineMinute
    return model.select().where(model.kind == ALL_KINDS, model.at >= begin).order_by(model.at)


def _add(numbers: Numbers, rows: Iterable[TaskCount]) -> Numbers:
    rows = list(rows)
    for row in rows:
        numbers.ended[row.outcome] = numbers.ended.get(row.outcome, 0) + row.count
        numbers.wait_ms, numbers.run_ms = numbers.wait_ms + row.wait_ms, numbers.run_ms + row.run_ms
    numbers.waits = merged([numbers.waits, *(row.waits for row in rows)])
    numbers.runs = merged([numbers.runs, *(row.runs for row in rows)])
    return numbers


def _worse(one: LineCount, other: LineCount) -> LineCount:
    """The one of two moments in which more is amiss."""
    return max(one, other, key=lambda line: (line.oldest_wait, line.waiting, line.running))
