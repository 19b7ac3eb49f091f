"""The charts of the overview, and of one kind of tasks."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise

from tasks.engine.models.state import State
from webapp.lib.i18n import duration
from webapp.models.statistics import Numbers, Point
from webapp.models.statistics.counts import LineCount
from webapp.web.presenters.desk.chart import COUNT, PERCENT, TIME, Chart, Measure, Series
from webapp.web.presenters.desk.links import ended_url

# The outcomes, from the bottom of a bar to its top.
OUTCOMES = (
    ("finished", "good", State.SUCCEEDED),
    ("canceled", "quiet", State.CANCELED),
    ("failed", "bad", State.FAILED),
)
SHARES = (("p50", "first", 0.5), ("p95", "second", 0.95))


def charts_of(points: Sequence[Point], step: timedelta, zone: str, kind: str = "") -> Iterator[Chart]:
    """What ended, of a kind or of all, how long that waited and ran, what waited, and how busy the workers were.

    The workers are those of all kinds, so of one kind it is not told how busy they were.
    """
    drawn = partial(Chart, moments=[point.at for point in points], step=step, zone=zone, marks=_releases(points))
    outcomes = [Series(name, tone, _ended(points, state), state.value) for name, tone, state in OUTCOMES]
    every = duration(step.total_seconds()).removeprefix("1 ")
    yield drawn(
        "chart-ended", f"Ended per {every}", COUNT, outcomes, is_stacked=True, url=partial(ended_url, kind=kind)
    )
    yield drawn("chart-wait", "Wait before the start", TIME, _shares(points, Numbers.wait))
    yield drawn("chart-run", "Run time", TIME, _shares(points, Numbers.run))
    for key, title, name, measure, tone, value in LINES[:-1] if kind else LINES:
        values = [value(point.line) if point.line else None for point in points]
        yield drawn(f"chart-{key}", title, measure, [Series(name, tone, values)])


LINES: tuple[tuple[str, str, str, Measure, str, Callable[[LineCount], float | None]], ...] = (
    ("waiting", "Waiting", "waiting", COUNT, "first", lambda line: line.waiting),
    ("oldest", "Oldest wait", "oldest wait", TIME, "first", lambda line: 1000 * line.oldest_wait),
    ("busy", "Busy slots", "average", PERCENT, "first", lambda line: _busy(line)),
)


def _busy(line: LineCount) -> float | None:
    """How much of what the workers can run together did run, in percent; None without workers."""
    return min(100.0, 100 * line.running / line.capacity) if line.capacity else None


def _ended(points: Sequence[Point], state: State) -> list[float | None]:
    return [point.numbers.ended.get(state, 0) if point.numbers else None for point in points]


def _shares(points: Sequence[Point], read: Callable[[Numbers, float], float | None]) -> list[Series]:
    return [
        Series(name, tone, [read(point.numbers, share) if point.numbers else None for point in points])
        for name, tone, share in SHARES
    ]


def _releases(points: Sequence[Point]) -> list[tuple[int, str]]:
    """At which points another release had come, and which."""
    known = [(n, point.line.release) for n, point in enumerate(points) if point.line and point.line.release]
    return [now for before, now in pairwise(known) if before[1] != now[1]]
