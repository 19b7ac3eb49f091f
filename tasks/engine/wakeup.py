"""Wake-ups: messages that say that a task waits, and not which. Whoever gets one takes the task whose turn it is.

So a message that comes twice, late or for nothing does no harm, and no task is lost with one: as long as there are as
many messages as waiting tasks, all are taken. The sweeper sends those that are missing.

A worker that has got one goes on from task to task for `Config.go_on_for` seconds, as long as some wait. The messages
of these are left over. Whoever gets one of them finds nothing, and where they pile up, the sweeper drops most.
"""

import logging
import math
import time

from huey import Huey
from huey.api import TaskWrapper
from peewee import PeeweeException

from tasks.engine.config import config, configure
from tasks.engine.executor import execute_next
from tasks.engine.models import Task
from tasks.engine.models.signals import enqueued
from webapp.db.resilience import away, is_unavailable

log = logging.getLogger(__name__)


class HueyQueue:
    """Carries wake-ups by a Huey."""

    def __init__(self, huey: Huey, handler: TaskWrapper) -> None:
        self._huey, self._handler = huey, handler

    def send(self) -> None:
        """Put one more message into the queue."""
        self._huey.enqueue(self._handler.s())

    def pending_count(self) -> int:
        """How many messages are in the queue."""
        return int(self._huey.pending_count())

    def drop(self) -> None:
        """Take one message out of the queue and forget it."""
        self._huey.storage.dequeue()

    def handle(self) -> bool:
        """Do at once what a worker does that gets a message."""
        return bool(self._huey.execute(self._handler.s()))


def send_by(huey: Huey) -> None:
    """Let this Huey carry wake-ups, and its workers handle them. Call it once for a Huey."""
    # Messages carry this name and module, by which workers of the release before know them.
    handler = huey.task(name="perform", __module__="tasks.engine.doorbell")(_handle)
    configure(queue=HueyQueue(huey, handler))


def _handle() -> bool:
    """What a message calls. Whether there was a task to execute."""
    if config().claims_no_more():
        _send_if_possible()  # it was told so while it waited for a message, so this one is for another worker
        return False
    end = time.monotonic() + config().go_on_for
    try:
        found = execute_next(lambda: time.monotonic() < end and not config().claims_no_more())
    except PeeweeException as error:
        if not is_unavailable(error):
            raise
        away.failed(error)
        return False
    away.is_over()
    return found


def send(times: int = 1, within: float = math.inf) -> int:
    """Send this many wake-ups, or as many as can be started within so many seconds; returns how many.

    Raises when the queue does not answer; those before it are sent.
    """
    queue, end = config().queue, time.monotonic() + within
    for sent in range(times):
        if queue is None or time.monotonic() >= end:
            return sent
        queue.send()
    return times


def drop(times: int, within: float) -> int:
    """Forget this many wake-ups, or as many as can be dropped within so many seconds; returns how many.

    Raises when the queue does not answer. Not for more than there are: it might wait for a message to come.
    """
    queue, end = config().queue, time.monotonic() + within
    for dropped in range(times):
        if queue is None or time.monotonic() >= end:
            return dropped
        queue.drop()
    return times


@enqueued.connect
def send_for(task: Task) -> None:
    """Wake a worker. Where the queue does not answer, the task waits in its row until a worker looks by itself."""
    if not _send_if_possible():
        log.debug("Task %s waits until a worker looks", task.id)


def _send_if_possible() -> bool:
    try:
        return bool(send())
    except Exception:  # the queue has logged it, once for all that wait
        return False
