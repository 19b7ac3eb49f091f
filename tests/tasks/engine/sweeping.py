"""What tests of the sweeper arrange with."""

from datetime import timedelta

from tasks.queue import huey
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import State, Task

AGO = timedelta(seconds=1)


def wakeups() -> int:
    """How many messages are in the queue."""
    return huey.pending_count()


def lost_task(state: State = State.IN_PROGRESS, **fields) -> Task:
    """A task whose run has not renewed its lease."""
    return make_task(state, lease_until=utcnow() - AGO, **fields)
