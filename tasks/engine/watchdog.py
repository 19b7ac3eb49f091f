"""The watchdog: sees from outside when a run's clock has ended and its process goes on all the same.

Such a process may hold anything: the database's locks, a mutex, Python's interpreter. So it shows its clock in memory
that it shares with its parent, who can kill it without asking anybody. What comes of its task is told to the sweeper:
whoever records that may have to wait for the very locks that end with the process.
"""

import json
import logging
import mmap
import os
import select
import time
from collections.abc import Iterator
from dataclasses import asdict
from uuid import UUID

from tasks.engine import run_clock
from tasks.engine.run_clock import TOKEN, Face, Verdict

log = logging.getLogger(__name__)

HANDS = 4 * 8  # bytes
SIZE = HANDS + TOKEN
MOST = 65536  # bytes


class Watchdog:
    """The clocks of so many processes. Build it before they are forked."""

    def __init__(self, processes: int) -> None:
        self._memory = memoryview(mmap.mmap(-1, SIZE * processes))
        self._hears, self._says = os.pipe()
        os.set_blocking(self._says, False)
        self._heard = b""
        self._since: dict[int, tuple[float, float]] = {}  # which end of a clock it has seen, and since when

    def watch_me(self, number: int) -> None:
        """For a new child, the process of this number from 0: from now on its clock is seen."""
        run_clock.face = self._face(number)
        run_clock.face.hands[0] = 0.0

    def is_overdue(self, number: int) -> bool:
        """Whether this process has a run whose clock has ended, as the caller has seen for KILL_AFTER seconds by now.

        So whatever stops the caller, too, as when a computer sleeps, ends no run that has had no time to end by itself.
        """
        ends_at, now = self._face(number).hands[0], time.monotonic()
        if not ends_at or now < ends_at:
            return False
        if self._since.get(number, (0.0, 0.0))[0] != ends_at:
            self._since[number] = ends_at, now
        return now - self._since[number][1] >= run_clock.KILL_AFTER

    def condemn(self, number: int) -> bool:
        """Tell whoever asks for `verdicts` that this process is killed for that. False if its run has just ended.

        To be called before it is killed: as its locks are free, others would else take its task for that of a process
        that died.
        """
        face = self._face(number)
        verdict = face.verdict()
        face.hands[0] = 0.0
        if verdict is None:
            return False
        about = {"fields": {"task_id": UUID(verdict.task_id)}}
        log.error("The run does not end: its process is killed. %s", verdict.words, extra=about)
        try:
            os.write(self._says, json.dumps(asdict(verdict)).encode() + b"\n")
        except BlockingIOError:
            log.error("Nobody records it: the task is taken for one whose worker died", extra=about)
        return True

    def verdicts(self) -> Iterator[Verdict]:
        """What is to be recorded of runs that were killed, each once. For one process besides the parent."""
        poll = select.poll()
        poll.register(self._hears, select.POLLIN)
        while poll.poll(0):
            self._heard += os.read(self._hears, MOST)
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            yield Verdict(**json.loads(line))

    def _face(self, number: int) -> Face:
        mine = self._memory[number * SIZE : (number + 1) * SIZE]
        return Face(mine[:HANDS].cast("d"), mine[HANDS:])
