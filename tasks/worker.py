"""The worker: `python -m tasks.worker` takes tasks from the queue until it is told to stop.

TERM or INT: no new task is taken, running tasks stop at their next step and go back as pending, and the process is
gone about SHUTDOWN_WITHIN seconds later at the most. Killing this process takes its children along.
"""

import ctypes
import logging
import os
import signal
import sys
from typing import Any

from huey.consumer import BaseProcess, Consumer, ProcessEnvironment

from tasks import catalogue, index_texts  # noqa: F401 - every task function must be known before the first message
from tasks.engine import perform, reporter, sweeper
from tasks.queue import huey
from webapp.app import create_app
from webapp.database import database
from webapp.settings import Settings, SettingsError

log = logging.getLogger(__name__)

SHUTDOWN_WITHIN = 20
HEALTH_CHECK_EVERY = 1
# The embedded queue cannot wake a worker, so workers look; a look is one indexed read.
LOOK_EVERY = 0.04
ASK_AGAIN_AFTER = 1.0  # seconds, when a queue that wakes workers does not answer
PR_SET_PDEATHSIG = 1


class _Environment(ProcessEnvironment):
    """Worker processes that die with their parent, and that know when it was told to stop."""

    def __init__(self, *signals: Any) -> None:
        super().__init__(*signals)
        self.parent = os.getpid()

    def init_child(self, process: Any) -> None:
        """What a new child does first."""
        super().init_child(process)
        os.setpgid(0, 0)  # Ctrl-C in a terminal is for the parent, which lets its children come to a step
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.parent:  # it died before we asked
                os._exit(1)
        reporter.is_shutting_down = process.stop_flag.is_set


class _Sweeper(BaseProcess):
    """The sweeper as a process of the consumer, in the place of Huey's scheduler: schedules live in rows."""

    def __init__(self, huey: Any, stop_flag: Any, **_: Any) -> None:
        super().__init__(huey, stop_flag)
        self._sweeper = sweeper.Sweeper()

    def loop(self, now: Any = None) -> None:
        """One look, and a pause."""
        try:
            with perform.surroundings():
                self._sweeper.look()
        except Exception as error:
            log.warning("Could not sweep: %s", error)
        self.stop_flag.wait(sweeper.LOOK_EVERY)

    def shutdown(self) -> None:
        """Let another worker's sweeper lead at once."""
        try:
            self._sweeper.resign()
        except Exception as error:
            log.warning("Could not resign: %s", error)


class _Consumer(Consumer):
    scheduler_class = _Sweeper

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # INT, from a terminal, means the same as TERM: nothing is cut off in the middle of a step.
        self._signal_actions[signal.SIGINT] = self._signal_actions[signal.SIGTERM]

    def get_environment(self, worker_type: str) -> ProcessEnvironment:
        return _Environment(self._graceful_sig, self._interrupt_sig)


def create_consumer(settings: Settings) -> Consumer:
    """A consumer for these settings, not yet started. Builds the app once; its children inherit it."""
    app = create_app(settings)
    perform.surroundings = app.app_context
    look_every = ASK_AGAIN_AFTER if huey.storage.blocking else LOOK_EVERY
    return _Consumer(
        huey,
        workers=settings.worker_concurrency,
        worker_type="process",
        periodic=False,
        initial_delay=look_every,
        max_delay=look_every,
        backoff=1.0,
        health_check_interval=HEALTH_CHECK_EVERY,
        graceful_signal="TERM",
        shutdown_timeout=SHUTDOWN_WITHIN,
    )


def main() -> None:
    """Run a worker until it is told to stop. Exits with one line on standard error when a setting is wrong."""
    try:
        settings = Settings.from_env()
        consumer = create_consumer(settings)
    except SettingsError as error:
        sys.exit(f"errand: {error}")
    database.close()  # nothing open may be inherited by the children
    consumer.run()
    logging.shutdown()
    os._exit(0)  # multiprocessing would wait for a child that does not end; this takes it along


if __name__ == "__main__":
    main()
