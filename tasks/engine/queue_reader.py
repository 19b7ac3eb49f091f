"""The queue reader: the loop of a worker process, which waits for wake-ups and does without where there are none."""

import logging
import math
import time

from huey.consumer import Worker, WorkerRecycle

from tasks.engine import memory
from tasks.engine.config import config
from webapp.db.resilience import away, is_unavailable
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)

# Where the queue does not answer, workers look for tasks themselves, and for a while after: wake-ups are missing then.
LOOK_ALONE_EVERY = 1.0  # seconds
LOOK_ALONE_FOR = 30.0
ASK_AGAIN_AFTER = 5.0  # seconds, after some failures
QUIET_FOR = 0.25  # seconds, until a quiet worker looks whether it still is


class QueueReader(Worker):
    """Huey's worker, but where the queue does not answer, it is asked again after a while, and tasks run without it."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._failures = 0
        self._failed_at = self._looked_at = -math.inf
        self._foreign = Outage(log, "Dropped a queue message that is not ours")

    def loop(self, _: object = None) -> None:
        """Wait for one message, for about a second, and execute it. A quiet worker leaves it to others."""
        if config().is_quiet():
            self.stop_flag.wait(QUIET_FOR)
            return
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
            self._handle_message(data)
        elif now < self._failed_at + LOOK_ALONE_FOR and now >= self._looked_at + LOOK_ALONE_EVERY:
            self._looked_at = now
            self._look_alone()
        elif not self.huey.storage.blocking:
            self.sleep()

    def _handle_message(self, data: bytes) -> None:
        try:
            message = self.huey.deserialize_task(data)
        except Exception as error:
            self._foreign.failed(error)
        else:
            self.huey.execute(message)
        self._leave_if_too_large()

    def _do_without(self) -> None:
        """Execute whatever waits, until it is time to ask the queue again."""
        self._failures += 1
        self._failed_at = time.monotonic()
        end = self._failed_at + min(LOOK_ALONE_EVERY * self._failures, ASK_AGAIN_AFTER)
        while not config().claims_no_more() and (left := end - time.monotonic()) > 0:
            if not self._look_alone():
                self.stop_flag.wait(min(left, LOOK_ALONE_EVERY))

    def _look_alone(self) -> bool:
        """Execute the task whose turn it is, if one waits. Whether one did."""
        queue = config().queue
        was_one = queue is not None and queue.handle()
        self._leave_if_too_large()
        return was_one

    def _leave_if_too_large(self) -> None:
        """End this process, between two tasks, where it has more memory than it may have: another takes its place."""
        if memory.is_exceeded():
            log.info("The process has %d MB of memory, and makes place for another", memory.used() // memory.MB)
            raise WorkerRecycle


class _WithoutOutages(logging.Filter):
    """Huey logs each failure with its traceback; while the database is away, that would be one a second."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not is_unavailable(error):
            return True
        away.failed(error)
        return False


for _name in ("huey", "huey.consumer.Worker"):
    logging.getLogger(_name).addFilter(_WithoutOutages())
