"""The consumer: a worker's parent process, which keeps its children running and kills those that hang in a run."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from multiprocessing import current_process
from uuid import uuid4

from huey.consumer import BaseProcess, Consumer, ProcessEnvironment

from tasks.engine import heartbeat
from tasks.engine.queue_reader import QueueReader
from tasks.engine.sweeper import Sweeper
from tasks.engine.sweeper_process import SweeperProcess
from tasks.engine.watchdog import Watchdog

PR_SET_PDEATHSIG = 1


class ChildEnvironment(ProcessEnvironment):
    """Children that die with their parent, and know when it was told to stop."""

    def __init__(self, watchdog: Watchdog, *signals: object) -> None:
        super().__init__(*signals)
        self.watchdog = watchdog
        self.parent = os.getpid()

    def init_child(self, process: BaseProcess) -> None:
        """What a new child does first."""
        super().init_child(process)
        if number := _number_of(current_process().name):
            self.watchdog.watch_me(number - 1)
        os.setpgid(0, 0)  # Ctrl-C in a terminal is for the parent, which lets its children come to a step
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.parent:  # it died before we asked
                os._exit(1)
        heartbeat.is_shutting_down = process.stop_flag.is_set


def _number_of(name: str) -> int:
    """Which worker process has this name, from 1; 0 for a process of another kind."""
    kind, _, number = name.partition("-")
    return int(number) if kind == "Worker" else 0


class WorkerConsumer(Consumer):
    """Huey's, with a sweeper in the place of its scheduler, and a watchdog over its worker processes."""

    worker_class = QueueReader

    def __init__(self, *args: object, workers: int, mail_server: str | None, **options: object) -> None:
        self._watchdog, self._token, self._mail_server = Watchdog(workers), uuid4().hex, mail_server
        super().__init__(*args, workers=workers, **options)
        # INT, from a terminal, means the same as TERM: nothing is cut off in the middle of a step.
        self._signal_actions[signal.SIGINT] = self._signal_actions[signal.SIGTERM]

    def get_environment(self, worker_type: str) -> ProcessEnvironment:
        """What Huey lets each child begin with."""
        return ChildEnvironment(self._watchdog, self._graceful_sig, self._interrupt_sig)

    def _create_scheduler(self) -> SweeperProcess:
        sweeper = Sweeper(self._watchdog.killed_runs, self._token, os.getpid(), self.workers)
        return SweeperProcess(self.huey, self.stop_flag, self._mail_server, sweeper)

    def loop(self, health_check_ts: float | None = None) -> float | None:
        """One turn of the consumer itself, ten times a second; it touches nothing that its children could hold."""
        for number, (_, process) in enumerate(self.worker_threads):
            if self._watchdog.is_overdue(number) and process.is_alive() and self._watchdog.report(number):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with what its run has started
                process.join(1)
                self.check_worker_health()
        checked_at: float | None = super().loop(health_check_ts)
        return checked_at
