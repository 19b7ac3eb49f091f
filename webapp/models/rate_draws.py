"""Rate draws: counts of what is done so often that a write to the database for each would be the dearest part of it.

A process draws a few at once from the count that all share, and hands them out from memory. It never hands out more
than was drawn, so all together do no more than the limit, but for what had to be lent. What a process has drawn and
nobody asks it for is lost until the window ends; so it begins with one, doubles, and draws less as less is left.
"""

import math
import threading
import time
from collections import OrderedDict
from contextlib import nullcontext
from typing import Final, NamedTuple

from webapp.db.resilience import writing_if_free
from webapp.models.rate_count import RateCount

LARGEST: Final = 32  # at once
SHARE: Final = 8  # of what is left, one draw takes at most this part
MOST_KEPT: Final = 10_000  # windows that a process remembers, of some 400 bytes; the oldest go first


class Standing(NamedTuple):
    """Whether this one is within the limit; how many more are, as far as this process knows, and for how long."""

    is_within: bool
    left: int
    seconds_left: int


class _Window:
    __slots__ = ("drawn", "left", "owed", "unclaimed", "until")

    def __init__(self, until: float, unclaimed: int = 0) -> None:
        self.until = until
        self.unclaimed = unclaimed  # that nobody had drawn at the latest draw
        self.left = 0  # drawn, and not handed out
        self.owed = 0  # handed out, and not drawn
        self.drawn = 0  # by the latest draw

    def hand_out(self) -> Standing:
        is_within = self.left > 0
        self.left -= is_within
        return self._standing(is_within)

    def lend(self) -> Standing:
        self.owed += 1
        return self._standing(True)

    @property
    def next_draw(self) -> int:
        return max(1, min(2 * self.drawn, LARGEST, self.unclaimed // SHARE)) + self.owed

    def _standing(self, is_within: bool) -> Standing:
        left = max(0, self.left + self.unclaimed - self.owed)
        return Standing(is_within, left, max(1, math.ceil(self.until - time.time())))


class RateDraws:
    """The counts of a process. Any thread may ask."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._windows)

    def count(self, name: str, most: int, seconds: int, *, waits: bool = True) -> Standing:
        """Count one more by a name, of which there may be so many in so many seconds.

        Mostly nothing is asked of the database; else one write. Nothing at all once all are used up. If it may not wait
        for that write, and would have to, it is within the limit, and counted by the next draw.
        """
        with self._lock:
            window = self._present(name)
            if window and (window.left or not window.unclaimed):
                return window.hand_out()
            wanted, owed = (window.next_draw, window.owed) if window else (1, 0)
            if window:
                window.owed = 0
        drawn = None
        with nullcontext() if waits else writing_if_free():
            drawn = RateCount.add_and_see(name, seconds, wanted)
        with self._lock:
            window = self._present(name) or self._open(name, _Window(time.time() + seconds, most))
            if drawn is None:
                window.owed += owed
                return window.lend()
            number, window.until = drawn
            window.left += max(0, min(wanted, most - (number - wanted)) - owed)
            window.unclaimed, window.drawn = max(0, most - number), wanted - owed
            return window.hand_out()

    def _present(self, name: str) -> _Window | None:
        window = self._windows.get(name)
        return window if window and window.until > time.time() else None

    def _open(self, name: str, window: _Window) -> _Window:
        self._windows.pop(name, None)
        self._windows[name] = window
        if len(self._windows) > MOST_KEPT:
            self._windows.popitem(last=False)
        return window
