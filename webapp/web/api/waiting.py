"""Waiting: how a request stays until something has changed, where the client prefers that (RFC 7240).

One request at a time may, in each process, and only by a server that can say when it has to end: because the process
is to end, its client is gone, or somebody else needs the thread. All others are answered at once.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Final

from flask import request

from webapp.web.server import MUST_ANSWER

MOST: Final = 20  # seconds; routers hang up after thirty
ASK_EVERY: Final = 0.5  # seconds
LOOK_EVERY: Final = 0.05  # seconds, for whether to end
_place = threading.Lock()


def preferred_wait() -> int:
    """How many seconds this request may be kept waiting, at most MOST; 0 where it does not say, or says nonsense."""
    for preference in request.headers.get("Prefer", "").lower().split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip() == "wait":  # only the first counts
            digits = value.strip(' "')
            return min(MOST, int(digits)) if re.fullmatch("[0-9]{1,9}", digits) else 0
    return 0


def wait(seconds: int, is_over: Callable[[], bool]) -> dict[str, str]:
    """Wait for so many seconds, or until it `is_over`, which is asked every ASK_EVERY; or not at all.

    Returns the header that says so; none if it did not wait. Nothing is held meanwhile but a thread. Raises what
    `is_over` raises.
    """
    must_answer: Callable[[], bool] | None = request.environ.get(MUST_ANSWER)
    if not seconds or must_answer is None or not _place.acquire(blocking=False):
        return {}
    try:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if _pause(min(ASK_EVERY, left), must_answer) or is_over():
                break
    finally:
        _place.release()
    return {"Preference-Applied": f"wait={seconds}"}


def _pause(seconds: float, must_answer: Callable[[], bool]) -> bool:
    """Wait for that long; True as soon as it must end. For a moment each request waits for its thread, so it counts
    only if it is so twice."""
    end, was_asked = time.monotonic() + seconds, False
    while (left := end - time.monotonic()) > 0:
        is_asked = must_answer()
        if is_asked and was_asked:
            return True
        was_asked = is_asked
        time.sleep(min(LOOK_EVERY, left))
    return False
