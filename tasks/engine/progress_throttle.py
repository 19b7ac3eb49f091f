"""The pace at which progress is told: to the task's row for others, its notification and who listens."""

import threading
import time

REPORT_EVERY = 0.5  # seconds

News = tuple[int, int | None, str]  # how many steps are done, of how many, and what it is doing


class Pace:
    """What of a run's progress is told, and when: once in REPORT_EVERY seconds, whichever thread tells it."""

    def __init__(self, told: News) -> None:
        self.told = told  # what the row says by now
        self._next = 0.0
        self._lock = threading.Lock()

    def due(self, news: News) -> News | None:
        """The news, if it is new and its time has come; whoever gets it tells it, and sets `told` when that is done."""
        with self._lock:
            now = time.monotonic()
            if news == self.told or now < self._next:
                return None
            self._next = now + REPORT_EVERY
            return news
