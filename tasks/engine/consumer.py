"""The consumer: a worker's parent process, which keeps its children running and kills those that hang in a run, or
have one that an operator wants to end.

TERM or INT: no new task is taken, running tasks stop at their next step and go back as pending, and the process is
gone about SHUTDOWN_WITHIN seconds later at the most. Killing this process takes its children along.
"""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import current_process
from typing import NoReturn
from uuid import uuid4

from huey import Huey
from huey.consumer import BaseProcess, Consumer, ProcessEnvironment

from tasks.engine import memory
from tasks.engine.config import configure
from tasks.engine.queue_reader import QueueReader
from tasks.engine.quiet_flag import QuietFlag
from tasks.engine.sweeper import Sweeper
from tasks.engine.sweeper_process import SweeperProcess
from tasks.engine.watchdog import Watchdog

SHUTDOWN_WITHIN = 20  # seconds
HEALTH_CHECK_EVERY = 1
LOOK_EVERY = 0.04  # seconds: the embedded queue cannot wake a worker, so workers look; a look is one indexed read
PR_SET_PDEATHSIG = 1


class ChildEnvironment(ProcessEnvironment):
    """Children that die with their parent, and know when it was told to stop."""

    def __init__(self, watchdog: Watchdog, token: str, quiet: QuietFlag, *signals: object) -> None:
        super().__init__(*signals)
        self.watchdog, self.token, self.quiet = watchdog, token, quiet
        self.parent = os.getpid()

    def init_child(self, process: BaseProcess) -> None:
        """What a new child does first."""
        super().init_child(process)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # for a run that has just ended
        if number := _number_of(current_process().name):
            self.watchdog.watch_me(number - 1)
        os.setpgid(0, 0)  # Ctrl-C in a terminal is for the parent, which lets its children come to a step
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.parent:  # it died before we asked
                os._exit(1)
        configure(is_shutting_down=process.stop_flag.is_set, worker=self.token, is_quiet=self.quiet.is_set)


def _number_of(name: str) -> int:
    """Which worker process has this name, from 1; 0 for a process of another kind."""
    kind, _, number = name.partition("-")
    return int(number) if kind == "Worker" else 0


class WorkerConsumer(Consumer):
    """Huey's, with so many worker processes, a sweeper in the place of its scheduler, and a watchdog over them.

    `on_start` is called once in the sweeper's process, in a thread of its own: it may take its time.
    """

    worker_class = QueueReader

    def __init__(self, huey: Huey, processes: int, on_start: Callable[[], object] = lambda: None) -> None:
        self._watchdog, self._quiet = Watchdog(processes), QuietFlag()
        self._token, self._on_start = uuid4().hex, on_start
        super().__init__(
            huey,
            workers=processes,
            worker_type="process",
            periodic=False,
            initial_delay=LOOK_EVERY,
            max_delay=LOOK_EVERY,
            backoff=1.0,
            health_check_interval=HEALTH_CHECK_EVERY,
            graceful_signal="TERM",
            shutdown_timeout=SHUTDOWN_WITHIN,
        )
        # INT, from a terminal, means the same as TERM: nothing is cut off in the middle of a step.
        self._signal_actions[signal.SIGINT] = self._signal_actions[signal.SIGTERM]

    def get_environment(self, worker_type: str) -> ProcessEnvironment:
        """What Huey lets each child begin with."""
        return ChildEnvironment(self._watchdog, self._token, self._quiet, self._graceful_sig, self._interrupt_sig)

    def _create_scheduler(self) -> SweeperProcess:
        watchdog = self._watchdog
        sweeper = Sweeper(
            watchdog.killed_runs, self._token, os.getpid(), self.workers, mark=watchdog.mark, quiet=self._quiet
        )
        return SweeperProcess(self.huey, self.stop_flag, self._on_start, sweeper)

    def loop(self, health_check_ts: float | None = None) -> float | None:
        """One turn of the consumer itself, ten times a second; it touches nothing that its children could hold."""
        for number, (_, process) in enumerate(self.worker_threads):
            is_too_large = self._watchdog.has_run(number) and memory.is_exceeded(process.pid)
            must_end = self._watchdog.is_marked(number) or self._watchdog.is_overdue(number, is_too_large)
            if must_end and process.is_alive() and self._watchdog.report(number):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with what its run has started
                process.join(1)
                self.check_worker_health()
            elif is_too_large and process.is_alive():
                os.kill(process.pid, signal.SIGALRM)  # its run looks, and ends itself
            elif process.exitcode == 0 and not self.stop_flag.is_set():
                self._replace(number)
        checked_at: float | None = super().loop(health_check_ts)
        return checked_at

    def _replace(self, number: int) -> None:
        """Start a worker process in the place of one that has ended by itself, between two tasks."""
        worker = self._create_worker()
        process = self._create_process(worker, f"Worker-{number + 1}")
        process.start()
        self.worker_threads[number] = worker, process

    def work(self) -> NoReturn:
        """Take tasks until told to stop, then end this process.

        Call it with no connection open: the children would inherit it.
        """
        self.run()
        leave()


def leave() -> NoReturn:
    """End this process, and with it a child that does not end, for which multiprocessing would wait."""
    logging.shutdown()
    os._exit(0)
