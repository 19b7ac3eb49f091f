"""The doorbell: messages that say that a task waits, and not which. Whoever hears one takes the task whose turn it is.

So a message that comes twice, late or for nothing does no harm, and none belongs to a task that could be lost with it:
as long as there are as many messages as waiting tasks, all are taken; the sweeper sees to that.
"""

import logging

from tasks.engine import reporter
from tasks.engine.perform import perform_next
from tasks.queue import huey
from webapp.models import Task
from webapp.signals import lined_up

log = logging.getLogger(__name__)


@huey.task(name="perform")
def answer() -> None:
    """What the queue's messages call."""
    if reporter.is_shutting_down():
        ring()  # it was waiting for a message as it was told to stop; another worker should have this
    else:
        perform_next()


def ring(times: int = 1) -> None:
    """Send so many messages. Raises when the queue does not answer, having sent those before."""
    for _ in range(times):
        huey.enqueue(answer.s())


@lined_up.connect
def ring_for(task: Task) -> None:
    """Let a worker know at once. Where the queue does not answer the task waits in its row, for the sweeper to ring."""
    try:
        ring()
    except Exception as error:
        log.warning("Task %s waits: the queue does not answer: %s", task.id, error)
