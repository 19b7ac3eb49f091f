"""The progress throttle: how often a run's progress is written to its row, whoever writes it."""

import threading
import time
from typing import NamedTuple

from tasks.engine.config import config
from webapp.lib.phrases import Words


class Progress(NamedTuple):
    """How far a run is."""

    done: int
    total: int | None
    stage: Words


class ProgressThrottle:
    """Lets new progress through at most once in `config().report_every` seconds. For several threads."""

    def __init__(self, written: Progress) -> None:
        self.written = written  # what the row says
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self, progress: Progress) -> Progress | None:
        """The progress, if it is new and may be written now. Whoever gets it writes it, and then sets `written`."""
        with self._lock:
            now = time.monotonic()
            if progress == self.written or now < self._next:
                return None
            self._next = now + config().report_every
            return progress
