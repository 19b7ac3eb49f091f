"""Rescue: takes tasks from runs that are gone, and records why the watchdog has killed a run."""

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from uuid import UUID

from tasks.engine import registry
from tasks.engine.config import config
from tasks.engine.leadership import Leadership
from tasks.engine.lease_grace import LeaseGrace
from tasks.engine.models import Task
from tasks.engine.models.locks import changing_if_free
from tasks.engine.models.state import LEASED
from tasks.engine.retries import Retries
from tasks.engine.run_clock import Reason, TimedOutRun
from webapp.db import after_commit, database
from webapp.db.resilience import is_unavailable
from webapp.lib.times import utcnow

log = logging.getLogger(__name__)


class Rescuer:
    """Moves tasks that their runs do not move any more.

    `killed_runs` gives the runs of this worker whose processes were killed since the last call. `grace` says whether
    the database was away, so that nobody could renew a lease; what it answers here is told to it.
    """

    def __init__(
        self,
        killed_runs: Callable[[], Iterable[TimedOutRun]],
        grace: LeaseGrace,
        leadership: Leadership,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._killed_runs, self._grace, self._leadership, self._clock = killed_runs, grace, leadership, clock
        self.unrecorded: list[TimedOutRun] = []

    def record_killed_runs(self) -> None:
        """Record why runs were killed. Each is kept until that is committed, or another run has the task."""
        self.unrecorded += self._killed_runs()
        for run in list(self.unrecorded):
            task = Task.get_or_none(Task.id == UUID(run.task_id), Task.fencing_token == run.token)
            if task is None or self.move(task, partial(_time_out, task, run)):
                after_commit(partial(self.unrecorded.remove, run))

    def rescue_lost(self) -> None:
        """Take tasks from runs whose lease has ended. Raises LeadershipLost when another sweeper leads."""
        asked_at = self._clock()
        _shorten_leases()
        lost = list(Task.lost(config().tasks_per_look))
        self._grace.database_answers(asked_at)
        for task in self._leadership.while_held(lost if self._grace.is_over else ()):
            if self.move(task, partial(self._rescue, task)):
                log.warning("Lost contact with the worker: the task is %s", task.state, extra=_about(task))

    def move(self, task: Task, transition: Callable[[], bool]) -> bool:
        """What a transition returns; where it raises, the task is tried again at the next look, and blocks no other."""
        asked_at = self._clock()
        try:
            return transition()
        except Exception as error:
            if is_unavailable(error):
                raise
            log.exception("The task could not be moved", extra=_about(task))
            return False
        finally:
            self._grace.database_answers(asked_at)

    def _rescue(self, task: Task) -> bool:
        """Take a task from a run that is lost, unless it is known why the run was killed."""
        with database.transaction():
            # Not before: on SQLite this may have waited for the lock of a run that had to be killed for it.
            self.record_killed_runs()
            return task.rescue()


def _shorten_leases() -> None:
    """Cut leases that last longer than one from now can: they are from before the clock was set back."""
    longest = utcnow() + config().lease
    too_long = Task.state.in_(LEASED), Task.lease_until > longest + config().lease
    for task in list(Task.select(Task.id).where(*too_long)):  # one by one: who locks several does so in order
        Task.update(lease_until=longest).where(Task.id == task.id, *too_long).execute()


def _time_out(task: Task, run: TimedOutRun) -> bool:
    """Record that a run was killed. False, and nothing done, while the database still holds the row for that run."""
    function = registry.functions.get(task.name)
    retries = function.retries if function else Retries()
    with changing_if_free(task) as free:
        if free and run.reason == Reason.FORCED:
            task.end_by_force()
        elif free:
            task.time_out(run.message, retries.wait(task.attempts), run.made_progress)
    return free


def _about(task: Task) -> dict[str, dict[str, object]]:
    """The fields by which a line of the log about this task is found."""
    return {"fields": {"task_id": task.id, "kind": task.name, "user_id": task.user_id}}
