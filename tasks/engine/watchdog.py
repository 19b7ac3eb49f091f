"""The watchdog: sees from outside when a run's deadline has passed and its process goes on all the same.

Such a process may hold anything: the database's locks, a mutex, Python's interpreter. So its deadline is in memory that
it shares with its parent, who can kill it without asking anybody. The outcome of its task is left to the sweeper, since
recording it may have to wait for the very locks that end with the process.
"""

import json
import logging
import mmap
import os
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from uuid import UUID

from tasks.engine import run_clock
from tasks.engine.config import config
from tasks.engine.run_clock import TOKEN_SIZE, Reason, SharedDeadline, TimedOutRun

log = logging.getLogger(__name__)

NUMBERS_SIZE = 4 * 8  # bytes
RUN_SIZE = NUMBERS_SIZE + TOKEN_SIZE
SIZE = RUN_SIZE + TOKEN_SIZE  # with the token of a run that is to be killed
READ_AT_MOST = 65536  # bytes


class Watchdog:
    """The deadlines of this many processes. Build it before they are forked."""

    def __init__(self, processes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes, self._clock = processes, clock
        self._memory = memoryview(mmap.mmap(-1, SIZE * processes))
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        self._unread = b""
        self._seen: dict[int, tuple[object, float]] = {}  # what is overdue of each, and since when that is known

    def watch_me(self, number: int) -> None:
        """For a new child, the process of this number from 0: from now on its deadline is seen."""
        run_clock.shared = self._deadline(number)
        run_clock.shared.at = 0.0

    def has_run(self, number: int) -> bool:
        """Whether this process has a run."""
        return bool(self._deadline(number).at)

    def is_overdue(self, number: int, is_too_large: bool = False) -> bool:
        """Whether this process has a run whose deadline passed `Config.kill_after` seconds ago, as seen by the caller;
        or has been `is_too_large` for so long with one.

        So what stops the caller, too, as when a computer sleeps, ends no run that has had no time to end by itself.
        """
        deadline, now = self._deadline(number), self._clock()
        at = deadline.at
        if not at or (now < at and not is_too_large):
            self._seen.pop(number, None)
            return False
        about = at if now >= at else bytes(deadline.token)
        if self._seen.get(number, (None, 0.0))[0] != about:
            self._seen[number] = about, now
        if now - self._seen[number][1] < config().kill_after:
            return False
        if now < at:
            deadline.explain(Reason.MEMORY, 0.0)
        return True

    def mark(self, task_id: str, token: str) -> None:
        """Have the process killed that has this run, if one has: for another process of this worker."""
        run = (task_id + token).encode().ljust(TOKEN_SIZE)
        for number in range(self._processes):
            if bytes(self._deadline(number).token) == run:
                self._mark(number)[:] = run

    def is_marked(self, number: int) -> bool:
        """Whether this process has a run that was marked."""
        deadline = self._deadline(number)
        return bool(deadline.at) and bytes(deadline.token) == bytes(self._mark(number))

    def report(self, number: int) -> bool:
        """Put the run of this process on the list of `killed_runs`. False if it has just ended.

        Call it before the process is killed: as its locks are free, a sweeper would otherwise take the task for one
        whose worker crashed.
        """
        deadline = self._deadline(number)
        if self.is_marked(number):
            deadline.explain(Reason.FORCED, 0.0)
        run = deadline.run()
        deadline.at = 0.0
        if run is None:
            return False
        about = {"fields": {"task_id": UUID(run.task_id)}}
        log.error("The run does not end: its process is killed. %s", run.message, extra=about)
        try:
            os.write(self._write_end, json.dumps(asdict(run)).encode() + b"\n")
        except BlockingIOError:
            log.error("Nobody records it: the task is taken for one whose worker died", extra=about)
        return True

    def killed_runs(self) -> Iterator[TimedOutRun]:
        """The runs that were killed since the last call, each once. For one process besides the parent."""
        poll = select.poll()
        poll.register(self._read_end, select.POLLIN)
        while poll.poll(0):
            self._unread += os.read(self._read_end, READ_AT_MOST)
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            fields = json.loads(line)
            yield TimedOutRun(**fields | {"reason": Reason(fields["reason"])})

    def _deadline(self, number: int) -> SharedDeadline:
        mine = self._memory[number * SIZE : (number + 1) * SIZE]
        return SharedDeadline(mine[:NUMBERS_SIZE].cast("d"), mine[NUMBERS_SIZE:RUN_SIZE])

    def _mark(self, number: int) -> memoryview:
        return self._memory[number * SIZE + RUN_SIZE : (number + 1) * SIZE]
