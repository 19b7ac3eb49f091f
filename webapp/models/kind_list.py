"""The kinds of tasks, for the desk: what waits and runs of each, what has ended, and what operators have decided."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from peewee import fn

from tasks.engine import registry
from tasks.engine.models.kind_control import LONGEST_NAME, KindControl
from webapp.db import Row
from webapp.lib.times import utcnow
from webapp.models.statistics import (
    ALL_KINDS,
    OTHERS,
    RANGES,
    Line,
    Numbers,
    Range,
    TaskHour,
    TaskMinute,
    by_kind,
    lines,
    named,
)
from webapp.models.statistics.counts import floor


@dataclass(frozen=True)
class Kind:
    """One kind, by the name of its task function; `numbers` are of what has ended in the range that was asked for."""

    name: str
    line: Line
    numbers: Numbers
    control: KindControl | None
    trend: list[float | None]  # how many ended, minute by minute or hour by hour

    @property
    def paused_until(self) -> datetime | None:
        """When its pause ends; None while it is not paused."""
        return self.control.paused_until if self.control and self.control.is_paused else None

    @property
    def is_limited(self) -> bool:
        """Whether it has a limit."""
        return self.control is not None and self.control.is_limited

    @property
    def max_running(self) -> int | None:
        """How many of it may run at once; None without a limit."""
        return self.control.max_running if self.control else None


def kinds(which: Range, now: datetime | None = None, also: Collection[str] = ()) -> list[Kind]:
    """Every kind of this release, and whatever else waits, has ended in the range, or is held; by name. Of those that
    this release does not know, a few; the rest are OTHERS.

    Eight queries at most, and one more for each kind that waits and is named.
    """
    now = now or utcnow()
    waiting, ended = lines(now, also), by_kind(now - RANGES[which].length, now, also)
    held = {control.name: control for control in KindControl.all()}
    names = named({*waiting, *ended, *held} - {"", OTHERS}, also) | set(registry.functions)
    is_more = {OTHERS} & {*waiting, *ended} or not names.issuperset(held)
    trends = _Trends(which, now)
    return [
        Kind(name, waiting.get(name, Line()), ended.get(name, Numbers()), held.get(name), trends.of(name))
        for name in [*sorted(names), *([OTHERS] if is_more else [])]
    ]


class _Trends:
    """How many of each kind ended in each minute of a range, or in each closed hour of a long one. One query."""

    def __init__(self, which: Range, now: datetime) -> None:
        row = RANGES[which]
        model = TaskHour if row.length > RANGES[Range.HOUR].length else TaskMinute
        end, self._step = floor(now, model.span), model.span
        self._begin, self._number = end - row.length, row.length // model.span
        found = model.select(model.kind, model.at, fn.SUM(model.count))
        found = found.where(model.kind != ALL_KINDS, model.at >= self._begin, model.at < end)
        self._ended: dict[str, dict[int, int]] = defaultdict(dict)
        rows: Iterable[Row] = found.group_by(model.kind, model.at).tuples()
        for kind, at, number in rows:
            self._ended[kind][(at - self._begin) // self._step] = int(number)

    def of(self, kind: str) -> list[float | None]:
        """Of one kind, the oldest first; 0 where none ended, and None of OTHERS."""
        if kind == OTHERS:
            return [None] * self._number
        ended = self._ended.get(kind, {})
        return [ended.get(n, 0) for n in range(self._number)]


def find(name: str, which: Range, now: datetime | None = None) -> Kind | None:
    """The kind of this name; None where there is none, in this release or in what `kinds` tells. As many queries."""
    if len(name) > LONGEST_NAME:
        return None
    if name == OTHERS:
        return None
    return next((kind for kind in kinds(which, now, also=(name,)) if kind.name == name), None)


def exists(name: str) -> bool:
    """Whether there is a kind of this name. No query for those of this release."""
    return name in registry.functions or find(name, Range.HOUR) is not None
