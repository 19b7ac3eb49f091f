"""Outages in the log: a failure that repeats is logged once a minute, and its end once."""

import logging
import mmap
import re
import struct
import time

LOG_EVERY = 60.0  # seconds
QUIET_FOR = 3.0  # seconds without a failure, before the end is logged

# What psycopg and libpq add to the error of a host that refuses.
HINT = re.compile(r"\n\tIs the server running [^\n]*")
SEVERAL = "All failures were:"
WHICH = re.compile(r"^- host: '.*?connection failed: |^- ")


class Outage:
    """Logs something that fails again and again: at once, then once a minute, and when it is over.

    Created before a fork, it is shared by all the processes, so that only one of them logs it.
    """

    def __init__(self, log: logging.Logger, words: str, over: str = "") -> None:
        self._log, self._words, self._over = log, words, over
        self._times = mmap.mmap(-1, 3 * 8)  # of the last line, the last failure, and the last line about the end

    def failed(self, reason: BaseException | str, traceback: bool = False) -> None:
        """It has failed. With a `traceback` where that was not foreseen, which is an error and no warning."""
        logged, _, over = self._read()
        now = time.monotonic()
        is_news = not logged or now - logged >= LOG_EVERY
        self._write(now if is_news else logged, now, over)
        if is_news:
            error = reason if isinstance(reason, BaseException) else None
            words = one_line(error) if error else reason
            level = logging.ERROR if traceback else logging.WARNING
            self._log.log(level, "%s: %s", self._words, words, exc_info=error if traceback else None)

    def is_over(self) -> None:
        """It has succeeded. Costs next to nothing if it had not failed."""
        logged, failed, over = self._read()
        if logged <= over:
            return
        now = time.monotonic()
        if now - failed >= QUIET_FOR:
            self._write(logged, failed, now)
            if self._over:
                self._log.warning("%s", self._over)

    def _read(self) -> tuple[float, float, float]:
        logged, failed, over = struct.unpack("3d", self._times[:])
        return logged, failed, over

    def _write(self, *times: float) -> None:
        self._times[:] = struct.pack("3d", *times)


def one_line(error: BaseException) -> str:
    """An error's message on one line, in the same words each time.

    libpq's messages have several lines, and repeat themselves for each address of a host.
    """
    text = HINT.sub("", str(error))
    _, several, each = text.partition(SEVERAL)
    if several:
        text = "; ".join(sorted({WHICH.sub("", line) for line in each.splitlines() if line.strip()}))
    return " ".join(text.removeprefix("connection failed: ").split()) or type(error).__name__
