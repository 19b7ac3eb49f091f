"""The outbox: pending tasks whose message the queue never took, because it was down or a worker gave them back."""

from tasks.engine.perform import push
from webapp.models import State, Task


def push_waiting() -> int:
    """Send their messages; returns how many. Raises when the queue does not answer, having sent those before."""
    waiting = [task.id for task in Task.select(Task.id).where(Task.state == State.PENDING, Task.pushed_at.is_null())]
    for task_id in waiting:
        push(task_id)
    return len(waiting)
