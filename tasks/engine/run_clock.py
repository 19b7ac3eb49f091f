"""The clock of a run: by when it must have moved, or ended, so that none holds a worker for ever.

Whatever a run does by its `task` is a move, and gives it TASK_TIMEOUT_SECONDS from then on. A function with a
`timeout` of its own has that long for a whole run instead, however it moves. One that was asked to stop or to pause
has TASK_TIMEOUT_SECONDS from then to come to a step, and no longer.

At its end the clock rings: an alarm raises TimedOut in the run (`timeouts`). A run that hears no alarm, since it is in
code that does not return to Python, has its process killed KILL_AFTER seconds later, from outside (`watchdog`).
"""

import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from tasks.engine.config import config
from webapp.lib.i18n import duration

KILL_AFTER = 5.0  # seconds
TOKEN = 64  # bytes: a task's id and its run's token, both in hex


class Reason(IntEnum):
    """Why a clock has an end."""

    NO_MOVE = 1
    WHOLE_RUN = 2
    ASKED = 3


_WORDS = {
    Reason.NO_MOVE: "It made no progress for {} and was stopped.",
    Reason.WHOLE_RUN: "It took longer than {} and was stopped.",
    Reason.ASKED: "It didn’t reach its next step within {} and was stopped.",
}


@dataclass(frozen=True)
class Verdict:
    """What is told about a run that a clock has ended."""

    task_id: str
    token: str
    reason: Reason
    seconds: float
    further: bool  # whether it had got further than the run before

    @property
    def words(self) -> str:
        """Why it was ended, for people."""
        return _WORDS[self.reason].format(duration(self.seconds))


class Face:
    """What a clock shows to whoever watches: written by one process, and read by any that has the same memory.

    `hands` are four numbers: when it ends by `time.monotonic()`, 0 while nothing runs; the reason; its seconds; and
    whether the run has got further. `token` says whose run it is.
    """

    def __init__(self, hands: Any = None, token: Any = None) -> None:
        self.hands: Any = array("d", [0.0] * 4) if hands is None else hands
        self.token: Any = bytearray(TOKEN) if token is None else token

    def verdict(self) -> Verdict | None:
        """What it says of the run that is on; None when nothing runs."""
        ends_at, reason, seconds, further = self.hands
        if not ends_at:
            return None
        token = bytes(self.token).decode()
        return Verdict(token[:32], token[32:], Reason(int(reason)), seconds, bool(further))


face = Face()  # this process's; a worker's is seen by its parent


class Clock:
    """One run's clock. It stands still until it is `running`."""

    def __init__(self) -> None:
        self._face = Face()
        self._hands = self._face.hands
        self._seconds = 0.0
        self._moves = False  # whether a move puts its end off
        self._asked_at: float | None = None

    @contextmanager
    def running(self, task_id: str, token: str, timeout: float | None) -> Iterator[None]:
        """Run while the block lasts, for everybody to see; for a whole run of `timeout` seconds if there is one."""
        self._face, self._hands = face, face.hands
        self._hands[0] = 0.0
        self._face.token[:] = (task_id + token).encode().ljust(TOKEN)[:TOKEN]
        self._seconds = config.timeout if timeout is None else timeout
        reason = Reason.NO_MOVE if timeout is None else Reason.WHOLE_RUN
        self._hands[1], self._hands[2], self._hands[3] = float(reason), self._seconds, 0.0
        self._hands[0] = time.monotonic() + self._seconds
        self._moves = timeout is None
        try:
            yield
        finally:
            self._moves = False
            self._hands[0] = 0.0

    def moved(self, pause: float = 0.0) -> None:
        """The run has moved, and may be still for `pause` seconds more than it else may."""
        if self._moves:
            self._hands[0] = time.monotonic() + self._seconds + pause

    def asked(self) -> None:
        """The run was asked to stop: from the first time on, moves put nothing off. Safe to call from any thread."""
        now = time.monotonic()
        self._moves = False
        self._asked_at = self._asked_at or now
        end, last = self._hands[0], self._asked_at + config.timeout
        if end and (last < end or self._hands[1] == Reason.NO_MOVE):
            self._hands[1], self._hands[2], self._hands[0] = float(Reason.ASKED), config.timeout, min(end, last)

    def got_further(self) -> None:
        """A checkpoint stands that is beyond the one from which this run began."""
        self._hands[3] = 1.0

    @property
    def further(self) -> bool:
        """Whether the run has got further."""
        return bool(self._hands[3])

    @property
    def words(self) -> str:
        """Why it rings, for people."""
        return _WORDS[Reason(int(self._hands[1]))].format(duration(self._hands[2]))

    def look(self) -> float:
        """The seconds until somebody has to look again; 0 once it has rung, and then no move puts anything off."""
        left = float(self._hands[0] - time.monotonic())
        if left > 0:
            return max(0.001, min(left, config.timeout))  # its end may have come nearer by then, but by no more
        self._moves = False
        return 0.0
