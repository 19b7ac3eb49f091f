"""Promptly: an answer within a total time, from what has no deadline of its own that is short enough."""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def promptly(ask: Callable[[], Result], seconds: float) -> Result:
    """What `ask` returns or raises, or TimeoutError after so many seconds.

    It is asked in a thread, which goes on then: only for what ends by itself, and needs no context of this thread.
    """
    returned: list[Result] = []
    raised: list[Exception] = []

    def run() -> None:
        try:
            returned.append(ask())
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="promptly", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if raised:
        raise raised[0]
    if not returned:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return returned[0]
