"""Timeouts: an alarm that ends a run which takes too long, in a worker that is a process."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tasks.engine.retries import TimedOut


@contextmanager
def alarm(seconds: float | None) -> Iterator[None]:
    """Raise TimedOut in the block after so many seconds; whatever else had set an alarm gets it back.

    Only a process's main thread can be interrupted; elsewhere, and in code that does not return to Python, the
    reporter ends the process a little later.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_: int, __: FrameType | None) -> None:
        raise TimedOut

    begun = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left and max(0.001, left - (time.monotonic() - begun)), interval)
