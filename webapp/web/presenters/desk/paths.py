"""Paths: the lines of charts, as the data of an SVG path."""

from collections.abc import Sequence
from itertools import groupby

HEIGHT = 100  # of every drawing, which is one unit wide for each point and stretched to its place
Values = Sequence[float | None]


def path_of(values: Values, highest: float) -> str:
    """The line through the values, from 0 at the bottom to `highest`. None is a gap, and a value between two a dash."""
    pieces = []
    for is_known, run in groupby(enumerate(values), key=lambda pair: pair[1] is not None):
        if is_known:
            points = [f"{n + 0.5:g},{height_of(value, highest):g}" for n, value in run if value is not None]
            pieces.append(f"M{'L'.join(points)}" if len(points) > 1 else f"M{points[0]}m-.4,0h.8")
    return " ".join(pieces)


def height_of(value: float, highest: float) -> float:
    """How far below the top a value is."""
    return round(HEIGHT * (1 - value / highest), 2)


def sparkline_path(values: Values) -> str:
    """The line of a small drawing without an axis, whose top is its highest value."""
    return path_of(values, max((value for value in values if value is not None), default=0) or 1)
