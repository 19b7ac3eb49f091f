"""The stop flag: who wants a run to stop, and the exceptions that stop it."""

import threading
import time
from typing import Never

from tasks.engine.config import config


class Stop(BaseException):
    """Ends a run between two steps. Not an Exception, so that no task function catches it by mistake."""


class StopRequested(Stop):
    """The owner canceled or paused the task."""


class ShuttingDown(Stop):
    """The worker is shutting down: the task goes back to pending, for another worker."""


class MakingWay(Stop):
    """Somebody waits of whom nothing runs: the task goes back to pending, behind theirs."""


class LeaseLost(Stop):
    """Another run has the task. This one must write nothing more."""


class StopFlag:
    """Set from any thread; the run looks at it between two steps and raises what it says.

    The first reason stands, except that LeaseLost replaces any other.
    """

    def __init__(self) -> None:
        self._reason: type[Stop] | None = None
        self.is_set = False
        self._changed = threading.Event()
        self._cut_short = False

    @property
    def is_lease_lost(self) -> bool:
        """Whether the run must write nothing more."""
        return self._reason is LeaseLost

    def set(self, reason: type[Stop]) -> None:
        """Ask the run to stop, and end a `wait` that is under way."""
        if self._reason is None or reason is LeaseLost:
            self._reason = reason
        self.is_set = True
        self._changed.set()

    def lose_lease(self) -> Never:
        """Set LeaseLost and raise it."""
        self.set(LeaseLost)
        raise LeaseLost

    def raise_if_set(self) -> None:
        """Raise the reason to stop, if there is one."""
        if self._reason is not None:
            raise self._reason

    def raise_if_lease_lost(self) -> None:
        """Raise LeaseLost if another run has the task."""
        if self._reason is LeaseLost:
            raise LeaseLost

    def wait(self, seconds: float, within_step: bool) -> None:
        """Sleep until the flag is set, or for so long.

        A step is made to its end, so once the flag has cut a wait short, the further waits of a step are real ones,
        of at most `config().wait_once_stopped` each.
        """
        if within_step and self._cut_short:
            time.sleep(min(seconds, config().wait_once_stopped))
        else:
            self._cut_short = self._changed.wait(seconds)
