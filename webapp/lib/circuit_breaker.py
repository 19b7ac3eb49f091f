"""A circuit breaker: after a failure, another machine is not asked again at once."""

import threading
import time
from types import TracebackType

from webapp.lib.outage import Outage

FIRST_WAIT = 5.0  # seconds until it is asked again; as much longer after each further failure
MAX_WAIT = 10.0
TRIAL_TIMEOUT = 5.0  # seconds for which others leave the trial to one thread


class NotAsked(ConnectionError):
    """The circuit is open: it failed a moment ago, so it was not asked."""


class Breaker:
    """A context manager around each request to something that may not answer. Shared by all threads of a process.

    After a failure, others raise NotAsked at once for FIRST_WAIT seconds; then one is let through as a trial. Each
    failed trial makes the wait longer, up to MAX_WAIT. A failure is an Exception that leaves the block; it passes on.
    """

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._lock = threading.Lock()
        self._failures = 0
        self._is_trying = False
        self._ask_at = 0.0

    def __enter__(self) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._ask_at:
                raise NotAsked("it did not answer a moment ago")
            if self._failures:
                self._is_trying, self._ask_at = True, now + TRIAL_TIMEOUT

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        if error is None:
            self._answered()
        elif isinstance(error, Exception):
            self._failed(error)

    def _answered(self) -> None:
        with self._lock:
            self._failures, self._is_trying, self._ask_at = 0, False, 0.0
        self._outage.is_over()

    def _failed(self, error: Exception) -> None:
        with self._lock:
            if self._is_trying or not self._failures:  # a request from before the first failure says nothing new
                self._ask_at = time.monotonic() + min(FIRST_WAIT * (self._failures + 1), MAX_WAIT)
                self._failures, self._is_trying = self._failures + 1, False
        self._outage.failed(error)
