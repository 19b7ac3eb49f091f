"""Numbers about tasks: how many ended how, how long they waited and ran, and how long the line was, minute by minute.

They are made of the rows of tasks alone, by a `rollup` once a minute, and stand beside the engine, which does not need
them: an app that takes the engine alone has no such tables.

    series(Range.DAY)       the points of a chart
    by_kind(an_hour_ago)    throughput, failure share, p50 and p95 of each kind
    lines(), capacity()     the line at this moment
"""

from webapp.models.statistics.counts import (
    ALL_KINDS,
    LineHour,
    LineMinute,
    Rollup,
    TaskHour,
    TaskMinute,
    TaskTotal,
)
from webapp.models.statistics.line import Capacity, Line, capacity, lines, sample, total
from webapp.models.statistics.named_kinds import MOST_UNKNOWN, OTHERS, name_of, named
from webapp.models.statistics.reads import RANGES, Numbers, Point, Range, by_kind, final_until, progress, series
from webapp.models.statistics.rollup import roll_up

MODELS = (TaskMinute, TaskHour, TaskTotal, LineMinute, LineHour, Rollup)

__all__ = [
    "ALL_KINDS",
    "MODELS",
    "MOST_UNKNOWN",
    "OTHERS",
    "RANGES",
    "Capacity",
    "Line",
    "LineHour",
    "LineMinute",
    "Numbers",
    "Point",
    "Range",
    "Rollup",
    "TaskHour",
    "TaskMinute",
    "TaskTotal",
    "by_kind",
    "capacity",
    "final_until",
    "lines",
    "name_of",
    "named",
    "progress",
    "roll_up",
    "sample",
    "series",
    "total",
]
