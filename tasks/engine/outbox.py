"""The outbox: rings the queue's doorbell for tasks whose rows are committed."""

import logging
from uuid import UUID

from tasks.engine.perform import perform_message
from tasks.queue import huey
from webapp.models import State, Task
from webapp.times import utcnow

log = logging.getLogger(__name__)


def push(task_id: UUID) -> None:
    """Send a task's message and stamp the row. Raises when the queue or the database does not answer.

    Sending it twice is harmless: a task is claimed once.
    """
    huey.enqueue(perform_message.s(str(task_id)))
    Task.update(pushed_at=utcnow()).where(Task.id == task_id).execute()


def push_waiting() -> int:
    """Send the messages of pending tasks that the queue never took; returns how many."""
    waiting = [task.id for task in Task.select(Task.id).where(Task.state == State.PENDING, Task.pushed_at.is_null())]
    for task_id in waiting:
        push(task_id)
    return len(waiting)
