"""The worker: `python -m tasks.worker` takes tasks from the queue until it is told to stop.

TERM or INT: no new task is taken, running tasks stop at their next step and go back as pending, and the process is
gone about SHUTDOWN_WITHIN seconds later at the most. Killing this process takes its children along.
"""

import ctypes
import logging
import math
import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing import current_process
from socket import getaddrinfo, gethostname
from threading import Thread
from typing import Any
from uuid import uuid4

from huey.consumer import BaseProcess, Consumer, ProcessEnvironment, Worker

from tasks.engine import executor, heartbeat, sweeper, wakeup
from tasks.engine.watchdog import Watchdog
from tasks.queue import huey
from webapp.db import database, startup
from webapp.db.resilience import away, is_unavailable
from webapp.lib import logs
from webapp.lib.environment import CannotStart
from webapp.lib.outage import Outage
from webapp.settings import Settings

log = logging.getLogger("tasks.worker")  # as a program it has another name

SHUTDOWN_WITHIN = 20
HEALTH_CHECK_EVERY = 1
# The embedded queue cannot wake a worker, so workers look; a look is one indexed read.
LOOK_EVERY = 0.04
# Where the queue does not answer, workers look for tasks themselves, and for a while after: messages are missing then.
LOOK_ALONE_EVERY = 1.0  # seconds
LOOK_ALONE_FOR = 30.0
ASK_AGAIN_AFTER = 5.0  # seconds, after some failures
PR_SET_PDEATHSIG = 1


class _Environment(ProcessEnvironment):
    """Worker processes that die with their parent, and that know when it was told to stop."""

    def __init__(self, watchdog: Watchdog, *signals: Any) -> None:
        super().__init__(*signals)
        self.watchdog = watchdog
        self.parent = os.getpid()

    def init_child(self, process: Any) -> None:
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


class _Worker(Worker):
    """Huey's, but for a queue that does not answer: it is asked again after a while, and tasks are found without it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._failures = 0
        self._failed_at = self._looked_at = -math.inf
        self._strangers = Outage(log, "Dropped a queue message that is not ours")

    def loop(self, _: Any = None) -> None:
        """Wait for one message, for about a second, and do what it asks for."""
        try:
            data = self.huey.storage.dequeue()
        except Exception as error:
            self.huey.outage.failed(error)
            self._do_without()
            return
        self._failures = 0
        self.huey.outage.is_over()
        now = time.monotonic()
        if data is not None:
            self._obey(data)
        elif now < self._failed_at + LOOK_ALONE_FOR and now >= self._looked_at + LOOK_ALONE_EVERY:
            self._looked_at = now
            self._look_alone()
        elif not self.huey.storage.blocking:
            self.sleep()

    def _obey(self, data: bytes) -> None:
        try:
            message = self.huey.deserialize_task(data)
        except Exception as error:
            self._strangers.failed(error)
        else:
            self.huey.execute(message)

    def _do_without(self) -> None:
        """Carry out whatever waits, until it is time to ask the queue again."""
        self._failures += 1
        self._failed_at = time.monotonic()
        end = self._failed_at + min(LOOK_ALONE_EVERY * self._failures, ASK_AGAIN_AFTER)
        while not self.stop_flag.is_set() and (left := end - time.monotonic()) > 0:
            if not self._look_alone():
                self.stop_flag.wait(min(left, LOOK_ALONE_EVERY))

    def _look_alone(self) -> bool:
        """Carry out the task whose turn it is, if one waits. Whether one did."""
        return bool(self.huey.execute(wakeup.handle.s()))


def _number_of(name: str) -> int:
    """Which worker process has this name, from 1; 0 for a process of another kind."""
    kind, _, number = name.partition("-")
    return int(number) if kind == "Worker" else 0


class _Sweeper(BaseProcess):
    """The sweeper as a process of the consumer, in the place of Huey's scheduler: schedules live in rows."""

    def __init__(self, huey: Any, stop_flag: Any, mail_server: str | None, **of_the_worker: Any) -> None:
        super().__init__(huey, stop_flag)
        self._mail_server = mail_server
        self._trouble = Outage(log, "Could not sweep", "The sweeper works again")
        self._sweeper = sweeper.Sweeper(**of_the_worker)

    def initialize(self) -> None:
        """What it does first: see whether the mail server's name is one, which may take long."""
        if self._mail_server:
            Thread(target=_look_up, args=(self._mail_server,), name="resolver", daemon=True).start()

    def loop(self, now: Any = None) -> None:
        """One look, and a pause."""
        try:
            with executor.run_context():
                self._sweeper.look()
        except Exception as error:
            if is_unavailable(error):
                away.failed(error)
            else:
                self._trouble.failed(error, traceback=True)
        else:
            self._trouble.is_over()
            away.is_over()
        self.stop_flag.wait(sweeper.LOOK_EVERY)

    def shutdown(self) -> None:
        """Let another worker's sweeper lead at once."""
        try:
            self._sweeper.resign()
        except Exception as error:
            log.warning("Could not hand over the sweeper's lead: %s", error)


def _look_up(mail_server: str) -> None:
    try:
        getaddrinfo(mail_server, None)
    except (OSError, UnicodeError) as error:
        log.warning("MAIL_SERVER cannot be resolved here, so no mail is sent: %s: %s", mail_server, error)


class _Terse(logging.Filter):
    """Huey tells each failure with its traceback; while the database is away that would be one a second."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not is_unavailable(error):
            return True
        away.failed(error)
        return False


for _name in ("huey", "huey.consumer.Worker"):
    logging.getLogger(_name).addFilter(_Terse())


class _Consumer(Consumer):
    """Huey's, with a sweeper in the place of its scheduler, and a watchdog over its worker processes."""

    worker_class = _Worker

    def __init__(self, *args: Any, workers: int, mail_server: str | None, **options: Any) -> None:
        self._watchdog, self._token, self._mail_server = Watchdog(workers), uuid4().hex, mail_server
        super().__init__(*args, workers=workers, **options)
        # INT, from a terminal, means the same as TERM: nothing is cut off in the middle of a step.
        self._signal_actions[signal.SIGINT] = self._signal_actions[signal.SIGTERM]

    def get_environment(self, worker_type: str) -> ProcessEnvironment:
        return _Environment(self._watchdog, self._graceful_sig, self._interrupt_sig)

    def _create_scheduler(self) -> _Sweeper:
        own = {"token": self._token, "pid": os.getpid(), "processes": self.workers}
        verdicts = self._watchdog.verdicts
        return _Sweeper(self.huey, self.stop_flag, self._mail_server, verdicts=verdicts, **own)

    def loop(self, health_check_ts: float | None = None) -> float | None:
        """One turn of the consumer itself, ten times a second; it touches nothing that its children could hold."""
        for number, (_, process) in enumerate(self.worker_threads):
            if self._watchdog.is_overdue(number) and process.is_alive() and self._watchdog.condemn(number):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with what its run has started
                process.join(1)
                self.check_worker_health()
        return super().loop(health_check_ts)


def create_consumer(settings: Settings) -> Consumer:
    """A consumer for these settings, not yet started. Builds the app once; its children inherit it.

    Raises DeclarationError where a task function can never work.
    """
    from tasks.lib import index_texts  # noqa: F401 - all that a message may name
    from webapp.app import create_app

    app = create_app(settings, patient=True)
    executor.run_context = app.app_context
    return _Consumer(
        huey,
        workers=settings.worker_concurrency,
        mail_server=settings.mail_server,
        worker_type="process",
        periodic=False,
        initial_delay=LOOK_EVERY,
        max_delay=LOOK_EVERY,
        backoff=1.0,
        health_check_interval=HEALTH_CHECK_EVERY,
        graceful_signal="TERM",
        shutdown_timeout=SHUTDOWN_WITHIN,
    )


def main() -> None:
    """Run a worker until it is told to stop, once its database has the schema that it needs.

    Exits with one line on standard error when a setting is wrong, or the database one that nobody can wait for.
    """
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: sys.exit(0))  # until the consumer has its own: nothing has begun
    try:
        settings = Settings.from_env()
        consumer = create_consumer(settings)
    except CannotStart as error:
        sys.exit(error.report)
    logs.belong_to(worker=f"{gethostname()}:{os.getpid()}")
    startup.wait_for_database()
    database.close()  # nothing open may be inherited by the children
    log.info("The worker starts, with %d processes for tasks", settings.worker_concurrency)
    consumer.run()
    log.info("The worker has stopped")
    logging.shutdown()
    os._exit(0)  # multiprocessing would wait for a child that does not end; this takes it along


if __name__ == "__main__":
    main()
