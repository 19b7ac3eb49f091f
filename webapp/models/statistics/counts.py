"""What ended when: the tasks of each minute and hour by kind and outcome, with how long they waited and ran.

One row says how many tasks of a kind ended so in that time. It is the sum of rows of `tasks`, recomputed from them by
`rollup`, and never counted up as a task ends: what a killed process was about to count is counted anyway.

Counted is the end of a task, once: an attempt that failed and was followed by another one is no end. Its wait is the
last one, from when it last became pending to when a worker took it; its run is the sum of all its runs. Who was
canceled before it was taken has no wait, and who never ran has no run, so histograms may hold fewer than `count`.

Not counted: workflows, of which the children are counted; and who had ended, and within the three minutes after that
was retried by its owner (it counts by its next end) or went with its owner's account. One that its owner deletes is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Self

from peewee import BigIntegerField, CharField, CompositeKey, DateTimeField, IntegerField, TextField

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, Row
from webapp.lib.histogram import Histogram
from webapp.lib.times import utcnow

ALL_KINDS = ""  # the kind of rows that hold the sum over all kinds, so that a chart reads few rows


class HistogramField(TextField):
    """A histogram, as text like `3:17 5:1`: short, and read in a tenth of the time that JSON takes."""

    def db_value(self, value: Histogram) -> str:  # noqa: D102
        return " ".join(f"{bucket}:{count}" for bucket, count in sorted(value.items()))

    def python_value(self, value: str) -> Histogram:  # noqa: D102
        return in_one([value])


def in_one(texts: Iterable[str]) -> Histogram:
    """The sum of histograms that are stored so. The same parts of many are read once: 0.1 µs each."""
    every: Histogram = {}
    for part, times in Counter(" ".join(texts).split()).items():
        bucket, _, count = part.partition(":")
        every[int(bucket)] = every.get(int(bucket), 0) + int(count) * times
    return every


class TaskCount(BaseModel):
    """How many tasks of a kind came to an outcome in a span of time. Milliseconds, throughout."""

    span: ClassVar[timedelta]
    keep: ClassVar[timedelta]

    at = DateTimeField(help_text="when the span began")
    kind = CharField(max_length=60, help_text="the name of a task function, or ALL_KINDS")
    outcome = CharField(max_length=20, help_text="the state in which they ended")
    count = IntegerField()
    wait_ms = BigIntegerField(help_text="the sum of their waits")
    run_ms = BigIntegerField(help_text="the sum of their runs")
    waits = HistogramField()
    runs = HistogramField()

    class Meta:
        primary_key = CompositeKey("kind", "at", "outcome")
        indexes = ((("at",), False),)

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete about so many of those that are older than they are kept; returns how many that were."""
        return _purge(cls, cls.keep, at_once)


class TaskMinute(TaskCount):
    """The tasks that ended in a minute. Kept for 3 days."""

    span, keep = timedelta(minutes=1), timedelta(days=3)


class TaskHour(TaskCount):
    """The tasks that ended in an hour: the sum of its minutes, written once these are final. Kept for 400 days."""

    span, keep = timedelta(hours=1), timedelta(days=400)


class TaskTotal(BaseModel):
    """All tasks of a kind that ever came to an outcome, up to `Rollup.until`. It only grows, whatever is deleted."""

    kind = CharField(max_length=60)
    outcome = CharField(max_length=20)
    count = BigIntegerField()
    wait_ms = BigIntegerField()
    run_ms = BigIntegerField()
    waits = HistogramField()
    runs = HistogramField()

    class Meta:
        primary_key = CompositeKey("kind", "outcome")


class LineCount(BaseModel):
    """What waited and ran at one moment of a span of time, in all (ALL_KINDS) and of each kind that did.

    Of an hour: the most that waited, the oldest wait, the most workers, and the sums of running and of capacity over
    its minutes, which divided are how busy the workers were on average; a mean in whole tasks would say 0 of a few
    short ones. A time without a row is one of which nobody knows, since no sweeper looked.
    """

    span: ClassVar[timedelta]
    keep: ClassVar[timedelta]

    at = DateTimeField(help_text="when the span began")
    kind = CharField(max_length=60, help_text="the name of a task function, or ALL_KINDS")
    waiting = IntegerField(help_text="how many were pending")
    oldest_wait = IntegerField(help_text="seconds since the first of them became so; 0 where none waits")
    running = IntegerField(help_text="how many a worker held; of an hour, summed")
    capacity = IntegerField(help_text="how many all workers together can hold; of an hour, summed; of a kind, 0")
    workers = IntegerField(help_text="how many workers lived; of a kind, 0")
    release = CharField(max_length=40, default="", help_text="of the worker that started last; of a kind, empty")

    class Meta:
        primary_key = CompositeKey("kind", "at")
        indexes = ((("at",), False),)

    @classmethod
    def joined(cls, at: datetime, rows: Sequence["LineCount"]) -> Self:
        """What these, one or more and the oldest first, say together of a longer time that began then. Not saved."""
        most = {name: max(getattr(row, name) for row in rows) for name in ("waiting", "oldest_wait", "workers")}
        sums = {name: sum(getattr(row, name) for row in rows) for name in ("running", "capacity")}
        return cls(at=at, kind=rows[0].kind, release=rows[-1].release, **most, **sums)

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete about so many of those that are older than they are kept; returns how many that were."""
        return _purge(cls, cls.keep, at_once)


class LineMinute(LineCount):
    """A moment of a minute. Kept for 3 days."""

    span, keep = timedelta(minutes=1), timedelta(days=3)


class LineHour(LineCount):
    """An hour, of its minutes. Kept for 400 days."""

    span, keep = timedelta(hours=1), timedelta(days=400)


class Rollup(BaseModel):
    """How far the numbers go. One row."""

    name = CharField(primary_key=True, max_length=20)
    since = DateTimeField(help_text="nothing is known of what ended before")
    until = DateTimeField(help_text="what ended before is not recomputed any more")
    seen = DateTimeField(help_text="what ended since is not counted yet")


def floor(moment: datetime, span: timedelta) -> datetime:
    """When the minute or hour began in which a moment lies."""
    return moment - (moment - datetime.min) % span


def _purge(model: type[TaskCount] | type[LineCount], keep: timedelta, at_once: int) -> int:
    """Whole spans, the oldest first, until that is `at_once` rows; but no minute that its hour has not got yet."""
    before = utcnow() - keep
    if found := Rollup.get_or_none():
        before = min(before, floor(found.until, TaskHour.span))
    rows: Iterable[Row] = model.select(model.at).where(model.at < before).order_by(model.at).limit(at_once).tuples()
    old = [at for (at,) in rows]
    return int(model.delete().where(model.at <= old[-1]).execute()) if old else 0


for _model in (TaskMinute, TaskHour, LineMinute, LineHour):
    also_purge(_model, _model.purge)
