"""Wake-ups: messages that say that a task waits, and not which. Whoever gets one takes the task whose turn it is.

So a message that comes twice, late or for nothing does no harm, and no task is lost with one: as long as there are as
many messages as waiting tasks, all are taken. The sweeper sends those that are missing.
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


# Messages carry this name and module, by which workers of the release before know them, wherever the function stands.
@huey.task(name="perform", __module__="tasks.engine.doorbell")
def handle() -> bool:
    """What a message calls. Whether there was a task to execute."""
    if heartbeat.is_shutting_down():
        _send_if_possible()  # it was told to stop while it waited for a message, so this one is for another worker
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
    """Send this many wake-ups, or as many as can be started within so many seconds; returns how many.

    Raises when the queue does not answer; those before it are sent.
    """
    end = time.monotonic() + within
    for sent in range(times):
        if time.monotonic() >= end:
            return sent
        huey.enqueue(handle.s())
    return times


@enqueued.connect
def send_for(task: Task) -> None:
    """Wake a worker. Where the queue does not answer, the task waits in its row until a worker looks by itself."""
    if not _send_if_possible():
        log.debug("Task %s waits until a worker looks", task.id)


def _send_if_possible() -> bool:
    try:
        huey.enqueue(handle.s())
    except Exception:  # the queue has logged it, once for all that wait
        return False
    return True
