"""The clock of a run: when it must have shown progress, or ended, so that none holds a worker for ever.

Whatever a run does by its `task` is a sign of progress, and gives it TASK_TIMEOUT_SECONDS from then on. A function with
a `timeout` of its own has that long for a whole run instead, whatever progress it shows. A run that was asked to stop
or to pause has TASK_TIMEOUT_SECONDS from then to come to a step, and no longer.

At its deadline an alarm raises TimedOut in the run (`timeouts`). A run that hears no alarm, since it is in code that
does not return to Python, has its process killed `Config.kill_after` seconds later, from outside (`watchdog`).
"""

import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

from tasks.engine import memory
from tasks.engine.config import config
from tasks.engine.models.phrases import DID_NOT_STOP, FORCED, NO_PROGRESS, TOO_MUCH_MEMORY, TOOK_TOO_LONG
from webapp.lib.phrases import Phrase

TOKEN_SIZE = 64  # bytes: a task's id and its run's fencing token, both in hex


class Reason(IntEnum):
    """Why a run has a deadline, or is at it before its time."""

    NO_PROGRESS = 1
    WHOLE_RUN = 2
    STOP_REQUESTED = 3
    MEMORY = 4
    FORCED = 5


_MESSAGES = {
    Reason.NO_PROGRESS: NO_PROGRESS,
    Reason.WHOLE_RUN: TOOK_TOO_LONG,
    Reason.STOP_REQUESTED: DID_NOT_STOP,
    Reason.MEMORY: TOO_MUCH_MEMORY,
    Reason.FORCED: FORCED,
}


@dataclass(frozen=True)
class TimedOutRun:
    """A run whose deadline has passed."""

    task_id: str
    token: str
    reason: Reason
    seconds: float
    made_progress: bool  # whether a checkpoint of it stands that is beyond the one from which it began

    @property
    def message(self) -> Phrase:
        """Why it was ended, for people."""
        return _MESSAGES[self.reason](seconds=self.seconds)


class SharedDeadline:
    """A run's deadline in memory that several processes may have in common: one writes it, any reads it.

    `numbers` are four doubles: the deadline by the clock, which these processes share, 0 while nothing runs; the
    reason; its seconds; and whether the run has made progress. `token` says whose run it is.
    """

    def __init__(self, numbers: "memoryview[float] | None" = None, token: memoryview | None = None) -> None:
        self.numbers: array[float] | memoryview[float] = array("d", [0.0] * 4) if numbers is None else numbers
        self.token: bytearray | memoryview = bytearray(TOKEN_SIZE) if token is None else token

    @property
    def at(self) -> float:
        """When the run must have ended, by the clock; 0 while nothing runs."""
        return float(self.numbers[0])

    @at.setter
    def at(self, moment: float) -> None:
        self.numbers[0] = moment

    @property
    def reason(self) -> Reason:
        """Why there is a deadline."""
        return Reason(int(self.numbers[1]))

    def explain(self, reason: Reason, seconds: float) -> None:
        """Say why there is a deadline, and how many seconds the run has until then."""
        self.numbers[1], self.numbers[2] = float(reason), seconds

    @property
    def made_progress(self) -> bool:
        """Whether the run has made progress."""
        return bool(self.numbers[3])

    @made_progress.setter
    def made_progress(self, value: bool) -> None:
        self.numbers[3] = float(value)

    def run(self) -> TimedOutRun | None:
        """The run whose deadline it is; None while nothing runs."""
        if not self.at:
            return None
        token = bytes(self.token).decode()
        return TimedOutRun(token[:32], token[32:], self.reason, float(self.numbers[2]), self.made_progress)


shared = SharedDeadline()  # this process's; the watchdog of a worker replaces it by one that it sees


class RunClock:
    """The clock of one run. It has no deadline until it is `running`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = SharedDeadline()
        self._seconds = 0.0
        self._is_put_off = False  # whether a sign of progress puts the deadline off
        self._stop_requested_at: float | None = None

    @contextmanager
    def running(self, task_id: str, token: str, timeout: float | None) -> Iterator[None]:
        """Run while the block lasts, for the watchdog to see; for a whole run of `timeout` seconds if there is one."""
        deadline = self._deadline = shared
        deadline.at = 0.0
        deadline.token[:] = (task_id + token).encode().ljust(TOKEN_SIZE)[:TOKEN_SIZE]
        deadline.made_progress = False
        self._seconds = config().timeout if timeout is None else timeout
        deadline.explain(Reason.NO_PROGRESS if timeout is None else Reason.WHOLE_RUN, self._seconds)
        deadline.at = self._clock() + self._seconds
        self._is_put_off = timeout is None
        try:
            yield
        finally:
            self._is_put_off = False
            deadline.at = 0.0

    def touch(self, pause: float = 0.0) -> None:
        """The run has shown progress, and may be still for `pause` seconds more than it otherwise may."""
        if self._is_put_off:  # at each step, so without the property
            self._deadline.numbers[0] = self._clock() + self._seconds + pause

    def stop_requested(self) -> None:
        """The run was asked to stop: from the first time on, nothing puts its deadline off. Safe from any thread."""
        now = self._clock()
        self._is_put_off = False
        self._stop_requested_at = self._stop_requested_at or now
        at, last = self._deadline.at, self._stop_requested_at + config().timeout
        if at and (last < at or self._deadline.reason == Reason.NO_PROGRESS):
            self._deadline.explain(Reason.STOP_REQUESTED, config().timeout)
            self._deadline.at = min(at, last)

    def mark_progress(self) -> None:
        """A checkpoint stands that is beyond the one from which this run began."""
        self._deadline.made_progress = True

    @property
    def made_progress(self) -> bool:
        """Whether such a checkpoint stands."""
        return self._deadline.made_progress

    @property
    def message(self) -> Phrase:
        """Why the run was ended, for people."""
        return _MESSAGES[self._deadline.reason](seconds=float(self._deadline.numbers[2]))

    def check(self) -> float:
        """Seconds until it must be checked again; 0 once the deadline has passed, which then nothing puts off.

        The deadline of a run that has driven its process past the memory that it may have is now.
        """
        now = self._clock()
        if self._deadline.at > now and memory.is_exceeded():
            self._deadline.explain(Reason.MEMORY, 0.0)
            self._deadline.at = now
        left = self._deadline.at - now
        if left > 0:
            return max(0.001, min(left, config().timeout))  # it may have come nearer by then, but by no more
        self._is_put_off = False
        return 0.0
