"""Forced ends: what a sweeper does about tasks that an operator wants to end whatever their runs do.

The sweeper of the worker that has such a run marks it for the watchdog of that worker, which kills its process. All
that can be done without that process is done by the sweeper that leads.
"""

from collections.abc import Callable
from functools import partial

from tasks.engine.config import config
from tasks.engine.leadership import Leadership
from tasks.engine.lease_grace import LeaseGrace
from tasks.engine.models import ForceEnd, Task
from tasks.engine.rescue import Rescuer


class ForcedEnds:
    """Call `mark_mine` with each look, and `follow_up` where this sweeper leads. One query each; mostly of no row."""

    def __init__(self, token: str, mark: Callable[[str, str], object], rescuer: Rescuer, grace: LeaseGrace) -> None:
        self._token, self._mark, self._rescuer, self._grace = token, mark, rescuer, grace

    def mark_mine(self) -> None:
        """Have the runs of this worker killed that are to end."""
        mine = (Task.worker == self._token) & (Task.fencing_token == ForceEnd.fencing_token)
        asked = ForceEnd.select(ForceEnd.task, ForceEnd.fencing_token).join(Task, on=(Task.id == ForceEnd.task) & mine)
        for request in asked.limit(config().tasks_per_look):
            self._mark(request.task_id.hex, request.fencing_token)

    def follow_up(self, leadership: Leadership) -> None:
        """End what no worker will end. Raises LeadershipLost when another sweeper leads."""
        asked = ForceEnd.select().order_by(ForceEnd.id).limit(config().tasks_per_look)
        for request in leadership.while_held(asked):
            task = Task.get_or_none(Task.id == request.task_id)
            if task is not None:
                self._rescuer.move(task, partial(task.follow_up, request, self._grace.is_over))
