"""Overview: what the first page of the desk says of how the site is doing."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil

from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.state import State
from webapp.lib.i18n import estimate, ngettext
from webapp.lib.times import utcnow
from webapp.models import Rollup, SiteAlert, statistics
from webapp.models.reading import sweeping_worker
from webapp.models.statistics import Line, Numbers, Point, Range
from webapp.web.presenters.desk.axis import time_words
from webapp.web.presenters.desk.kind_words import brief, kind_label, kind_note, percent
from webapp.web.presenters.desk.links import tasks_url
from webapp.web.presenters.desk.overview_charts import charts_of
from webapp.web.presenters.desk.to_do import to_do

RECENTLY = timedelta(hours=1)
SOON = 300  # seconds in which all that waits should have started
MOST_KINDS = 5  # that failed
MOST_PAUSED = 5  # kinds that are named
LIVE = Range.HOUR  # the range that changes while somebody looks


@dataclass(frozen=True)
class PausedKind:
    """A kind of which nothing starts until a time."""

    name: str
    until: datetime | None

    @property
    def label(self) -> str:
        """What it is called."""
        return kind_label(self.name)


@dataclass(frozen=True)
class FailingKind:
    """A kind of which something failed lately."""

    name: str
    numbers: Numbers
    url: str

    @property
    def label(self) -> str:
        """What it is called."""
        return kind_label(self.name)

    @property
    def note(self) -> str:
        """What else is to be said of it."""
        return kind_note(self.name)

    @property
    def share(self) -> str:
        """How many of those failed that were not canceled, in words."""
        return percent(self.numbers.failure_share)

    @property
    def times(self) -> list[str]:
        """p50 and p95 of the wait, and of the run."""
        found = [self.numbers.wait(0.5), self.numbers.wait(0.95), self.numbers.run(0.5), self.numbers.run(0.95)]
        return [brief(value) for value in found]


class Overview:
    """The figures now, and the charts of a range as somebody reads them in whose time `zone`.

    To ask for its `version` costs nine small queries and one for each kind that waits; the rest of it four more.
    """

    def __init__(self, which: Range, zone: str) -> None:
        self.range, self.zone, self._now = which, zone, utcnow()
        lines = statistics.lines(self._now)
        self._waiting = sorted((kind, line.waiting, self._coarse(line.oldest_wait)) for kind, line in lines.items())
        self.line, self.able = statistics.total(lines), statistics.capacity(self._now)
        controls = KindControl.all()
        self.paused = [PausedKind(each.name, each.paused_until) for each in controls if each.is_paused]
        held = {each.name for each in controls if each.is_paused or _is_full(each, lines)}
        self._free = sum(line.waiting for kind, line in lines.items() if kind not in held)
        self.rollup: Rollup | None = statistics.progress()
        self.sweeper, self.alerts = sweeping_worker(self._now), SiteAlert.firing()
        self.to_do = to_do()

    @property
    def is_live(self) -> bool:
        """Whether it changes while somebody looks."""
        return self.range == LIVE

    @property
    def version(self) -> str:
        """What is the same while all of it is."""
        alerts = [(alert.key, alert.words, alert.since) for alert in self.alerts]
        seen = self.rollup and self.rollup.seen
        line = self._waiting, self.line.running, self.able, self.paused, self._free
        parts = self.range, alerts, line, seen, self.sweeper, self.to_do
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]

    @property
    def named_paused(self) -> list[PausedKind]:
        """The kinds that are paused, by name, as far as they are named."""
        return self.paused[:MOST_PAUSED]

    @property
    def oldest_wait(self) -> str:
        """How long the first in line has waited, so rounded that it does not change with each look."""
        return self._coarse(self.line.oldest_wait) if self.line.waiting else "–"

    @cached_property
    def recent(self) -> Numbers:
        """What ended in the last hour."""
        every = self._kinds.values()
        ended: dict[str, int] = {}
        for numbers in every:
            for outcome, count in numbers.ended.items():
                ended[outcome] = ended.get(outcome, 0) + count
        return Numbers(ended, run_ms=sum(n.run_ms for n in every))

    @property
    def slots_needed(self) -> int:
        """How many tasks would have to run at once to start all that waits SOON, at the pace of the last hour, but for
        what is held; 0 where what there is suffices, or nobody knows."""
        if not self.recent.count:
            return 0
        needed = ceil(self._free * self.recent.run_ms / self.recent.count / 1000 / SOON)
        return needed if needed > self.able.capacity else 0

    @property
    def pace(self) -> str:
        """Whether the workers keep up with what waits, and if they don't, why that is."""
        if self.line.waiting and not self._free:
            return "All that waits is held"
        if not self.able.workers:
            return "Nothing is started" if self.line.waiting else "Nothing waits"
        if not self.slots_needed:
            return "The workers keep up"
        slots = ngettext("%(num)s slot", "%(num)s slots", self.slots_needed)
        return f"{slots} would start all that waits within {estimate(SOON)}"

    @cached_property
    def failing(self) -> list[FailingKind]:
        """The kinds of which most failed in the last hour, the worst first; none where nothing did."""
        failed = sorted((row for row in self._kinds.items() if row[1].failed), key=lambda row: -row[1].failed)
        return [FailingKind(name, numbers, self.failed_url(name)) for name, numbers in failed[:MOST_KINDS]]

    @property
    def failed_url(self) -> Callable[..., str]:
        """The URL of what failed in the last hour, or of a kind."""
        since = (self.rollup.seen if self.rollup else self._now) - RECENTLY  # as the figures, which the version counts
        return lambda kind="": tasks_url(
            state=State.FAILED.value, kind="" if kind == statistics.OTHERS else kind, ended_after=since
        )

    @property
    def waiting_url(self) -> str:
        """The URL of what waits."""
        return tasks_url(state=State.PENDING.value)

    @cached_property
    def charts(self) -> list[object]:
        """The charts of the range."""
        return list(charts_of(self.points, statistics.RANGES[self.range].step, self.zone))

    @cached_property
    def points(self) -> list[Point]:
        """What the charts show."""
        return statistics.series(self.range, self._now)

    @cached_property
    def _kinds(self) -> dict[str, Numbers]:
        return statistics.by_kind(self._now - RECENTLY, self._now)

    @staticmethod
    def _coarse(seconds: int) -> str:
        return time_words(1000 * (seconds // 60 * 60)) if seconds >= 60 else "under 1 min"


def _is_full(control: KindControl, lines: Mapping[str, Line]) -> bool:
    """Whether as many of a kind run as may at once."""
    return control.max_running is not None and lines.get(control.name, Line()).running >= control.max_running
