"""The doorbell: messages that say that a task waits, and not which. Whoever hears one takes the task whose turn it is.

So a message that comes twice, late or for nothing does no harm, and none belongs to a task that could be lost with it:
as long as there are as many messages as waiting tasks, all are taken; the sweeper sees to that.
"""

import logging
import math
import time

from peewee import PeeweeException

from tasks.engine import heartbeat
from tasks.engine.executor import execute_next
from tasks.queue import huey
from webapp.db.resilience import away, is_unavailable
from webapp.models import Task
from webapp.models.task.signals import enqueued

log = logging.getLogger(__name__)


@huey.task(name="perform")
def handle() -> bool:
    """What the queue's messages call. Whether there was a task to carry out."""
    if heartbeat.is_shutting_down():
        _send_if_possible()  # it was waiting for a message as it was told to stop; another worker should have this
        return False
    try:
        found = execute_next()
    except PeeweeException as error:
        if not is_unavailable(error):
            raise
        away.failed(error)
        return False
    away.is_over()
    return found


def send(times: int = 1, within: float = math.inf) -> int:
    """Send so many messages, or as many as can be begun within so many seconds; returns how many.

    Raises when the queue does not answer, having sent those before.
    """
    end = time.monotonic() + within
    for sent in range(times):
        if time.monotonic() >= end:
            return sent
        huey.enqueue(handle.s())
    return times


@enqueued.connect
def send_for(task: Task) -> None:
    """Let a worker know at once. Where the queue does not answer the task waits in its row, for a worker to look."""
    if not _send_if_possible():
        log.debug("Task %s waits until a worker looks", task.id)


def _send_if_possible() -> bool:
    try:
        huey.enqueue(handle.s())
    except Exception:  # the queue has told of it, once for all that wait
        return False
    return True
