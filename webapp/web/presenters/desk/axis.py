"""Axes: where the lines of a chart are, and what stands at them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil, floor, log10

from webapp.lib.i18n import number, written
from webapp.lib.times import local

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000  # in milliseconds
UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (1, "ms"))
# What people count durations by, where 1-2-5 would give 50 minutes.
TIME_STEPS = (
    *(step * 10**n for n in range(4) for step in (1, 2, 5)),
    *(step * SECOND for step in (10, 15, 30)),
    *(step * MINUTE for step in (1, 2, 5, 10, 15, 30)),
    *(step * HOUR for step in (1, 2, 6, 12)),
)
UTC = "UTC"
MOST_STEPS = 4  # between 0 and the top


def number_ticks(highest: float) -> list[float]:
    """Whole numbers from 0 on, at equal distances of 1, 2 or 5, the last of them not below the highest value."""
    least = max(1.0, highest / MOST_STEPS)
    size = 10 ** floor(log10(least))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= least * (1 - 1e-9))
    return _up_to(highest, step)


def time_ticks(highest: float) -> list[float]:
    """The same for milliseconds, at distances that people count them by; up to a second where there is nothing."""
    if not highest:
        return [0, SECOND]
    least = max(1.0, highest / MOST_STEPS)
    days = ceil(least / DAY) * DAY
    return _up_to(highest, next((step for step in TIME_STEPS if step >= least), days))


def time_words(milliseconds: float) -> str:
    """A duration, short, with two digits that matter: '50 ms', '1.5 s', '12 min', '3 h'."""
    if not milliseconds:
        return "0"
    size, unit = next((row for row in UNITS if milliseconds >= row[0]), UNITS[-1])
    value = milliseconds / size
    return f"{number(round(value, 1) if value < 10 else round(value))} {unit}"


def moment_ticks(moments: Sequence[datetime], length: timedelta, zone: str) -> list[tuple[int, str]]:
    """Which of these moments have a label, and the label: at whole times of the reader's clock."""
    there = [local(moment, zone or UTC) for moment in moments]
    if length > timedelta(days=1):
        days = 5 if length > timedelta(days=7) else 1
        parts, pattern = [(moment.toordinal() // days) for moment in there], "d MMM"
    else:
        minutes = 240 if length > timedelta(hours=1) else 10
        parts, pattern = [(moment.hour * 60 + moment.minute) // minutes for moment in there], "HH:mm"
    return [(n, written(there[n], pattern)) for n in range(1, len(parts)) if parts[n] != parts[n - 1]]


@lru_cache(4096)
def span_words(since: datetime, step: timedelta, zone: str) -> str:
    """From when to when a point of a chart is, with its day where a chart goes over several; the latest are kept."""
    begin, end = local(since, zone or UTC), local(since + step, zone or UTC)
    day = "" if step < timedelta(hours=1) else written(begin, "d MMM, ")
    return f"{day}{written(begin, 'HH:mm')}–{written(end, 'HH:mm')}"


def _up_to(highest: float, step: float) -> list[float]:
    return [n * step for n in range(max(1, ceil(highest / step - 1e-9)) + 1)]
