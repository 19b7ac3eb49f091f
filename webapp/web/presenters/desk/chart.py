"""Chart: what a macro draws as SVG, and says in words and in a table.

The drawing is stretched to its place; texts are not. A value of None is a gap, where nobody knows; 0 is a value.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from webapp.lib.i18n import number
from webapp.lib.times import clock_words
from webapp.web.presenters.desk.axis import moment_ticks, number_ticks, span_words, time_ticks, time_words
from webapp.web.presenters.desk.kind_words import percent
from webapp.web.presenters.desk.paths import HEIGHT, Values, height_of, path_of

GAP = 0.1  # of a point, on each side of a bar


@dataclass(frozen=True)
class Measure:
    """What the values of a chart are: their axis, and how one is written."""

    ticks: Callable[[float], list[float]]
    words: Callable[[float], str]


COUNT = Measure(number_ticks, number)
PERCENT = Measure(lambda _: [0, 25, 50, 75, 100], lambda value: percent(value / 100))
TIME = Measure(time_ticks, time_words)


@dataclass(frozen=True)
class Series:
    """One line of a chart, or one layer of its bars. `tone` is its color and dash, a class of desk.css."""

    name: str
    tone: str
    values: Values
    link: str = ""  # which state a list of these tasks shows


@dataclass(frozen=True)
class Bar:
    """One layer of one bar, from the top down, in units of the drawing."""

    x: float
    y: float
    height: float
    series: Series
    url: str
    words: str


@dataclass(frozen=True)
class Row:
    """One point in the table, in words: its time, and the value of each series with the URL of its tasks, if any."""

    span: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class Chart:
    """Some series over the same moments, each `step` after the one before. `url` gives the list of what ended in a
    span in a state, as a template of a URL; without it nothing leads anywhere."""

    name: str
    heading: str
    measure: Measure
    series: list[Series]
    moments: list[datetime]
    step: timedelta
    zone: str
    is_stacked: bool = False
    marks: list[tuple[int, str]] = field(default_factory=list)  # at which point a release came, and its name
    url: Callable[[datetime, datetime, str], str] | None = None

    @property
    def width(self) -> int:
        """Of the drawing."""
        return len(self.moments)

    @cached_property
    def totals(self) -> list[float | None]:
        """The highest value at each point, or the sum of all where they are stacked."""
        points = [[value for value in point if value is not None] for point in self._points]
        join = sum if self.is_stacked else max
        return [join(point) if point else None for point in points]

    @cached_property
    def ticks(self) -> list[float]:
        """The values at which there is a line across, from 0 on."""
        return self.measure.ticks(max((total for total in self.totals if total is not None), default=0))

    @property
    def lines(self) -> list[tuple[float, str]]:
        """The lines across, each with its place and what stands at it."""
        return [(height_of(tick, self.ticks[-1]), self.measure.words(tick)) for tick in self.ticks]

    @property
    def labels(self) -> list[tuple[float, str]]:
        """What stands below it, each with its place in percent of the width."""
        found = moment_ticks(self.moments, self.step * self.width, self.zone)
        return [(round(100 * n / self.width, 2), words) for n, words in found if 0.04 < n / self.width < 0.96]

    @property
    def bars(self) -> list[Bar]:
        """All layers of all bars that are not empty."""
        found = []
        for n, point in enumerate(self._points):
            top: float = HEIGHT
            for series, value in zip(self.series, point, strict=True):
                if not value:
                    continue
                height = HEIGHT * value / self.ticks[-1]
                top -= height
                words = f"{self.span_words(n)}: {self.measure.words(value)} {series.name}"
                found.append(Bar(n + GAP, round(top, 2), round(height, 2), series, self._url(n, series.link), words))
        return found

    @property
    def paths(self) -> list[tuple[Series, str]]:
        """The line of each series, as the data of a path; a point between two gaps is a dash."""
        return [(series, path_of(series.values, self.ticks[-1])) for series in self.series]

    @property
    def spots(self) -> list[tuple[int, str, str]]:
        """What is pressed or pointed at: where, the URL of all of that time, if any, and what that was in words."""
        known = [n for n, total in enumerate(self.totals) if total is not None]
        return [(n, self._url(n, ",".join(s.link for s in self.series)), self._spot_words(n)) for n in known]

    @property
    def rows(self) -> list[Row]:
        """The table, the latest first."""
        return [
            Row(
                self.span_words(n),
                [
                    ("–" if value is None else self.measure.words(value), self._url(n, series.link) if value else "")
                    for series, value in zip(self.series, self._points[n], strict=True)
                ],
            )
            for n in reversed(range(self.width))
        ]

    @property
    def key_words(self) -> str:
        """What the numbers of its key are."""
        return "in all" if self.is_stacked else "latest"

    @property
    def key(self) -> list[tuple[Series, str]]:
        """Each series with one number, in words: the sum of its bars, or the last value of its line that is known."""
        known = [[value for value in series.values if value is not None] for series in self.series]
        said = [(sum(values) if self.is_stacked else values[-1]) if values else None for values in known]
        words = ["–" if value is None else self.measure.words(value) for value in said]
        return list(zip(self.series, words, strict=True))

    @property
    def description(self) -> str:
        """All of it in words: from when to when, the peak and when that was, and its key."""
        known = [(total, n) for n, total in enumerate(self.totals) if total is not None]
        since = clock_words(self.moments[0], self.zone)
        until = clock_words(self.moments[-1] + self.step, self.zone, False, self.moments[0])
        words = f"From {since} to {until}."
        if not known:
            return f"{words} Nothing is known yet."
        peak, n = max(known, key=lambda pair: pair[0])
        key = ", ".join(f"{series.name} {value}" for series, value in self.key)
        name = "In all" if self.is_stacked else "The latest"
        return f"{words} The highest was {self.measure.words(peak)}, {self.span_words(n)}. {name}: {key}."

    def span_words(self, n: int) -> str:
        """From when to when a point is, in words."""
        return span_words(self.moments[n], self.step, self.zone)

    @cached_property
    def _points(self) -> list[tuple[float | None, ...]]:
        return list(zip(*(series.values for series in self.series), strict=True))

    def _spot_words(self, n: int) -> str:
        values = zip(self.series, self._points[n], strict=True)
        said = [f"{series.name} {self.measure.words(value)}" for series, value in values if value is not None]
        return f"{self.span_words(n)}: {', '.join(said)}"

    def _url(self, n: int, state: str) -> str:
        if self.url is None or not self.totals[n]:
            return ""
        return self.url(self.moments[n], self.moments[n] + self.step, state)
