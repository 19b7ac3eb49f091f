"""Outages: what a process does about another machine that does not answer, besides waiting for it.

It says so now and then rather than each time (Outage), and does not ask it again at once (Breaker).
"""

import logging
import mmap
import re
import struct
import threading
import time
from types import TracebackType
from typing import Any

TELL_EVERY = 60.0  # seconds
QUIET_FOR = 3.0  # seconds without a failure, before it is said to be over
FIRST_WAIT = 5.0  # seconds until it is asked again, as much longer each time
LONGEST_WAIT = 10.0
ONE_TRIES_FOR = 5.0  # seconds that the others leave it to one to see whether it is back

# What psycopg and libpq say of a host that refuses.
HINT = re.compile(r"\n\tIs the server running [^\n]*")
SEVERAL = "All failures were:"
WHICH = re.compile(r"^- host: '.*?connection failed: |^- ")


class Outage:
    """Tells the log of something that goes wrong again and again: once, then once a minute, and when it is over.

    Made before a fork it is shared by all processes that come of it, so that they say it once, and not each.
    """

    def __init__(self, log: logging.Logger, words: str, over: str = "") -> None:
        self._log, self._words, self._over = log, words, over
        self._times = mmap.mmap(-1, 3 * 8)  # when it was told, when it failed last, when it was told to be over

    def failed(self, reason: BaseException | str, traceback: bool = False) -> None:
        """It has gone wrong. With a `traceback` where that was not foreseen."""
        told, _, over = self._read()
        now = time.monotonic()
        is_news = not told or now - told >= TELL_EVERY
        self._write(now if is_news else told, now, over)
        if is_news:
            error = reason if isinstance(reason, BaseException) else None
            words = one_line(error) if error else reason
            self._log.warning("%s: %s", self._words, words, exc_info=error if traceback else None)

    def is_over(self) -> None:
        """It has gone well. Costs next to nothing where it has not gone wrong."""
        told, failed, over = self._read()
        if told <= over:
            return
        now = time.monotonic()
        if now - failed >= QUIET_FOR:
            self._write(told, failed, now)
            if self._over:
                self._log.warning("%s", self._over)

    def _read(self) -> tuple[float, float, float]:
        told, failed, over = struct.unpack("3d", self._times[:])
        return told, failed, over

    def _write(self, *times: float) -> None:
        self._times[:] = struct.pack("3d", *times)


def one_line(error: BaseException) -> str:
    """What an error says, in the same words each time.

    libpq explains over several lines, and where a host has several addresses tells of each, some of them twice.
    """
    text = HINT.sub("", str(error))
    _, several, each = text.partition(SEVERAL)
    if several:
        text = "; ".join(sorted({WHICH.sub("", line) for line in each.splitlines() if line.strip()}))
    return " ".join(text.removeprefix("connection failed: ").split()) or type(error).__name__


class NotAsked(ConnectionError):
    """It has not answered a moment ago, so it was not asked."""


class Breaker:
    """A context manager around each question to something that may not answer. For all threads of a process.

    After a failure, others fail at once with NotAsked for FIRST_WAIT seconds; then one is let through to see whether it
    answers. Each such that fails makes the wait longer, up to LONGEST_WAIT. A failure is an Exception, which passes.
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
                self._is_trying, self._ask_at = True, now + ONE_TRIES_FOR

    def __exit__(self, _: Any, error: BaseException | None, __: TracebackType | None) -> None:
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
            if self._is_trying or not self._failures:  # what had begun before the first failure says nothing new
                self._ask_at = time.monotonic() + min(FIRST_WAIT * (self._failures + 1), LONGEST_WAIT)
                self._failures, self._is_trying = self._failures + 1, False
        self._outage.failed(error)
