"""The sweeper: repairs what is lost, so that every task that was started comes to an end.

It takes tasks from runs whose lease has ended, wakes what is due, sends wake-ups that the queue has lost, calls the
sweep hooks, and deletes what is old. Each worker has a sweeper; one of them at a time, the leader, does the work.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from uuid import uuid4

from tasks.engine.config import config
from tasks.engine.forced_ends import ForcedEnds
from tasks.engine.kind_sweep import sweep_kinds
from tasks.engine.leadership import Leadership, LeadershipLost
from tasks.engine.lease_grace import LeaseGrace
from tasks.engine.lost_wakeups import LostWakeups
from tasks.engine.models import Task, fair_queue
from tasks.engine.models.waiting_users import notify_waiting_users
from tasks.engine.presence import Presence
from tasks.engine.quiet_flag import QuietFlag
from tasks.engine.rescue import Rescuer
from tasks.engine.retention import Purge
from tasks.engine.run_clock import TimedOutRun
from tasks.engine.sweep_hooks import SweepHook, sweep_hooks
from webapp.db.resilience import close_if_broken, is_unavailable

log = logging.getLogger(__name__)

SOON = timedelta(seconds=90)  # whose next attempt is counted down: those of tasks that start this soon


class Sweeper:
    """One process's sweeper. Call `look` about every `Config.look_every` seconds.

    It belongs to a worker that is `pid`, has so many `processes`, and keeps its `token` when its sweeper is replaced.
    `killed_runs` gives the runs of that worker whose processes were killed since the last call, and `mark` has one of
    them killed, by its task's id and its token. The worker's processes learn by `quiet` whether they are to claim.
    """

    def __init__(
        self,
        killed_runs: Callable[[], Iterable[TimedOutRun]] = tuple,
        token: str = "",
        pid: int = 0,
        processes: int = 0,
        clock: Callable[[], float] = time.monotonic,
        hooks: Sequence[SweepHook] = sweep_hooks,
        *,
        mark: Callable[[str, str], object] = lambda task_id, token: None,
        quiet: QuietFlag | None = None,
    ) -> None:
        token = token or uuid4().hex
        self._clock, self._hooks = clock, hooks
        self._presence = Presence(token, pid, processes, quiet or QuietFlag(), clock)
        self._grace = LeaseGrace(clock)
        self._leadership = Leadership(token, clock)
        self._rescuer = Rescuer(killed_runs, self._grace, self._leadership, clock)
        self._forced_ends = ForcedEnds(token, mark, self._rescuer, self._grace)
        self._lost_wakeups = LostWakeups()
        self._purge = Purge()
        self._queue_snapshot: object = None
        self._told_last = 0
        self._next_sweep = self._next_purge = 0.0
        self._looked_at = math.inf

    def look(self) -> None:
        """Do what is to be done now, most of it if this one leads. Raises when the database does not answer.

        While this one heard nothing from the database, others could not renew their leases either. So these are good
        for another lease from when it answers.
        """
        try:
            self._look()
        except LeadershipLost:
            log.info("Another sweeper leads")
        except Exception as error:
            if is_unavailable(error):
                self._grace.database_is_away()
            raise
        finally:
            self._looked_at = self._clock()
            close_if_broken()

    def resign(self) -> None:
        """Let another lead at once, and count this worker no more."""
        self._leadership.resign()
        self._presence.leave()

    def _look(self) -> None:
        self._rescuer.record_killed_runs()
        self._presence.report()
        self._forced_ends.mark_mine()
        leads = self._leadership.hold()
        self._grace.database_answers(self._looked_at + config().look_every)
        if not leads:
            return
        self._wake_due()
        self._forced_ends.follow_up(self._leadership)
        now = self._clock()
        is_sweep = now >= self._next_sweep
        if is_sweep:
            self._next_sweep = now + config().sweep.total_seconds()
            self._rescuer.rescue_lost()
            self._notify_waiting_users()
        is_any_controlled = sweep_kinds()
        if is_sweep or is_any_controlled or self._lost_wakeups.are_suspected:
            self._lost_wakeups.replace(at_once=is_any_controlled)
        for hook in self._leadership.while_held(self._hooks if is_sweep else ()):
            self._run_hook(hook)
        if now >= self._next_purge:
            self._delete_old(until=now + config().purge_for)

    def _wake_due(self) -> None:
        asked_at = self._clock()
        due = list(Task.due(config().tasks_per_look))
        self._grace.database_answers(asked_at)
        for task in self._leadership.while_held(due):
            self._rescuer.move(task, task.enqueue)

    def _notify_waiting_users(self) -> None:
        now = fair_queue.snapshot()
        moved, self._queue_snapshot = now != self._queue_snapshot, now
        self._told_last = notify_waiting_users(SOON, moved, self._told_last)

    def _run_hook(self, hook: SweepHook) -> None:
        try:
            hook(config().tasks_per_hook)
        except Exception as error:
            if is_unavailable(error):
                raise
            log.exception("The sweep hook %s failed", hook.__name__)

    def _delete_old(self, until: float) -> None:
        """Some of what is old; the next look goes on."""
        for _ in self._purge.steps():
            self._purge.rest()
            if self._clock() > until:
                return
        self._next_purge = self._clock() + config().purge_every
