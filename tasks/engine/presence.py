"""Presence: a worker says every few seconds that it lives and what it has, and hears by that whether it is quiet."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from socket import gethostname

from tasks.engine import memory
from tasks.engine.config import config
from tasks.engine.models import Worker
from tasks.engine.quiet_flag import QuietFlag

log = logging.getLogger(__name__)

BELIEVED_FOR = timedelta(seconds=5)  # and three sweeps: how long a worker is believed to live
HEARD_EVERY = 5.0  # seconds, or each sweep where that is more often: how soon a worker is quiet


class Presence:
    """The entry of a worker that is `pid` and has so many `processes`; of none, it says nothing."""

    def __init__(
        self, token: str, pid: int, processes: int, quiet: QuietFlag, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token, self._pid, self._processes, self._quiet, self._clock = token, pid, processes, quiet, clock
        self._next = 0.0

    def report(self) -> None:
        """Say that it lives, when it is time to. One statement, which also brings back whether it is quiet."""
        now, sweep = self._clock(), config().sweep
        if not self._processes or now < self._next:
            return
        is_quiet = Worker.heartbeat(
            self._token,
            gethostname(),
            self._pid,
            self._processes,
            3 * sweep + BELIEVED_FOR,
            release=config().release or None,
            memory=memory.of_family(self._pid) or None,
            is_quiet=self._quiet.is_set(),
        )
        if is_quiet != self._quiet.is_set():
            log.info("The worker is quiet: it claims no more tasks" if is_quiet else "The worker claims tasks again")
        self._quiet.set(is_quiet)
        self._next = now + min(sweep.total_seconds(), HEARD_EVERY)

    def leave(self) -> None:
        """Count this worker no more."""
        Worker.leave(self._token)
