"""Timeouts: an alarm that ends a run at its deadline, in a worker that is a process."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tasks.engine.errors import TimedOut


@contextmanager
def alarm(check: Callable[[], float]) -> Iterator[None]:
    """Raise TimedOut in the block, once, when `check` returns 0; otherwise it returns in how many seconds to ask again.

    Whoever else has set an alarm gets it back. Only a process's main thread can be interrupted; elsewhere, and in code
    that does not return to Python, the watchdog ends the process a little later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = False

    def end_if_overdue(_: int, __: FrameType | None) -> None:
        nonlocal over
        if over:
            return
        if left := check():
            signal.setitimer(signal.ITIMER_REAL, left)
        else:
            over = True
            raise TimedOut

    begun = time.monotonic()
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    before = signal.signal(signal.SIGALRM, end_if_overdue)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, check() or 0.001)
            yield
        finally:
            over = True  # where the alarm interrupts even this, it is over by that
    finally:
        # In this order: an alarm between the two would else find a handler that may be the one that ends the process.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - begun)), interval)
