"""The sweeper: finds what nobody else would, so that every task that was started comes to its end.

It takes tasks from runs whose lease has ended, wakes what is due, rings again when the queue has lost messages, sees to
the duties that others have declared, and deletes what is old. Each worker has one; one of them at a time, the leader,
does the work.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from socket import gethostname
from typing import Any, TypeVar
from uuid import UUID, uuid4

from tasks.engine import registry, wakeup
from tasks.engine.config import config
from tasks.engine.lease_grace import Grace
from tasks.engine.retention import Purge
from tasks.engine.retries import Retries
from tasks.engine.run_clock import Verdict
from tasks.engine.sweep_hooks import SweepHook, sweep_hooks
from tasks.queue import huey
from webapp.db import after_commit, database
from webapp.db.resilience import close_if_broken, is_unavailable
from webapp.lib.times import utcnow
from webapp.models import Leader, Task, Worker
from webapp.models.task import fair_queue
from webapp.models.task.locks import changing_if_free
from webapp.models.task.state import LEASED

log = logging.getLogger(__name__)

ROLE = "sweeper"
LOOK_EVERY = 1.0  # seconds: how exactly what is due starts, and how soon another leads when the leader has died
LEADS_FOR = timedelta(seconds=2)
RENEW_EVERY = 0.5  # seconds, while a look lasts
AT_ONCE = 200  # tasks of each kind in one look
RINGS = 5000  # messages in one look
RING_FOR = 0.5  # seconds in one look; the next look sends more
AT_ONCE_OF_DUTY = 40  # tasks that each duty may start in one sweep: that takes about a second where each takes 20 ms
PURGE_EVERY = 3600.0
PURGE_FOR = 0.5  # seconds in one look
SOON = timedelta(seconds=90)
BELIEVE = timedelta(seconds=5)  # and three sweeps: how long a worker is believed to live
Item = TypeVar("Item")


class _Overtaken(Exception):
    """A look has taken so long that another leads by now."""


class Sweeper:
    """One process's sweeper. Call `look` about every LOOK_EVERY seconds.

    `verdicts` are the runs of its worker whose processes were killed since the last time that it was asked.
    """

    def __init__(
        self, verdicts: Callable[[], Iterable[Verdict]] = tuple, token: str = "", pid: int = 0, processes: int = 0
    ) -> None:
        """For a worker that is `pid`, has so many `processes`, and keeps its `token` when its sweeper is replaced."""
        self._token = token or uuid4().hex
        self._pid, self._processes = pid, processes
        self._next_sign = 0.0
        self._verdicts = verdicts
        self._unrecorded: list[Verdict] = []
        self._next_sweep = 0.0
        self._next_purge = 0.0
        self._held_at = 0.0
        self._purging = Purge()
        self._missing = 0
        self._line: object = None
        self._queue_answers = True
        self._grace = Grace()
        self._looked_at = math.inf  # by time.monotonic()

    def look(self) -> None:
        """Do what is to be done now, most of it if this one leads. Raises when the database does not answer.

        Where this one has not heard from the database, others could not renew their leases either. So these are good
        for another one from when it answers.
        """
        try:
            self._look()
        except _Overtaken:
            log.info("Another sweeper leads")
        except Exception as error:
            if is_unavailable(error):
                self._grace.is_away()
            raise
        finally:
            self._looked_at = time.monotonic()
            close_if_broken()

    def _look(self) -> None:
        self._record_verdicts()
        self._say_that_it_lives()
        leads = self._hold()
        self._grace.hears(self._looked_at + LOOK_EVERY)
        if not leads:
            return
        asked_at = time.monotonic()
        due = list(Task.due(AT_ONCE))
        self._grace.hears(asked_at)
        for task in self._while_leading(due):
            self._try(task, task.enqueue)
        now = time.monotonic()
        sweeping = now >= self._next_sweep
        if sweeping:
            self._next_sweep = now + config.sweep.total_seconds()
            self._rescue()
            self._tell_waiting()
        self._refill(sweeping)
        for duty in self._while_leading(sweep_hooks if sweeping else ()):
            self._see_to(duty)
        if now >= self._next_purge:
            self._purge(now)

    def _hold(self) -> bool:
        self._held_at = time.monotonic()
        return Leader.hold(ROLE, self._token, LEADS_FOR)

    def _while_leading(self, items: Iterable[Item]) -> Iterator[Item]:
        """What is to be done one by one, as long as this one leads: each may wait for a queue that does not answer."""
        for item in list(items):
            if time.monotonic() - self._held_at >= RENEW_EVERY and not self._hold():
                raise _Overtaken
            yield item

    def resign(self) -> None:
        """Let another lead at once, and count this worker no more."""
        Leader.resign(ROLE, self._token)
        Worker.leave(self._token)

    def _say_that_it_lives(self) -> None:
        now, sweep = time.monotonic(), config.sweep
        if self._processes and now >= self._next_sign:
            Worker.heartbeat(self._token, gethostname(), self._pid, self._processes, 3 * sweep + BELIEVE)
            self._next_sign = now + sweep.total_seconds()

    def _record_verdicts(self) -> None:
        """Tell of runs that were killed why they were. Each is kept until that is on record, or another run has it."""
        self._unrecorded += self._verdicts()
        for verdict in list(self._unrecorded):
            task = Task.get_or_none(Task.id == UUID(verdict.task_id), Task.fencing_token == verdict.token)
            if task is None or self._try(task, partial(_time_out, task, verdict)):
                after_commit(partial(self._unrecorded.remove, verdict))

    def _rescue(self) -> None:
        # No lease lasts longer than from now; one that does is from before the clock was set back.
        asked_at, longest = time.monotonic(), utcnow() + config.lease
        stepped_back = Task.state.in_(LEASED), Task.lease_until > longest + config.lease
        for task in list(Task.select(Task.id).where(*stepped_back)):  # one by one: who locks several does so in order
            Task.update(lease_until=longest).where(Task.id == task.id, *stepped_back).execute()
        lost = list(Task.lost(AT_ONCE))
        self._grace.hears(asked_at)
        for task in self._while_leading(lost if self._grace.is_over else ()):
            if self._try(task, partial(self._take, task)):
                log.warning("Lost contact with the worker: the task is %s", task.state, extra=_about(task))

    def _take(self, task: Task) -> bool:
        """Take a task from a run that is lost, unless there is a verdict on that."""
        with database.transaction():
            # Not before: on SQLite this may have waited for the lock of a run that had to be killed for it.
            self._record_verdicts()
            return task.rescue()

    def _purge(self, now: float) -> None:
        """Some of what is old; the next look goes on."""
        for _ in self._purging.steps():
            self._purging.rest()
            if time.monotonic() > now + PURGE_FOR:
                return
        self._next_purge = now + PURGE_EVERY

    def _try(self, task: Task, move: Callable[[], bool]) -> bool:
        """What a move says; a task that cannot be moved is tried again at the next look, and holds up no other."""
        asked_at = time.monotonic()
        try:
            return move()
        except Exception as error:
            if is_unavailable(error):
                raise
            log.exception("The task could not be moved", extra=_about(task))
            return False
        finally:
            self._grace.hears(asked_at)

    def _see_to(self, duty: SweepHook) -> None:
        try:
            duty(AT_ONCE_OF_DUTY)
        except Exception as error:
            if is_unavailable(error):
                raise
            log.exception("The duty %s failed", duty.__name__)

    def _tell_waiting(self) -> None:
        now = fair_queue.snapshot()
        fair_queue.notify_waiting_users(SOON, moved=now != self._line)
        self._line = now

    def _refill(self, sweeping: bool) -> None:
        """Ring as often as the queue has fewer messages than tasks wait.

        Between the two counts, and between a worker's taking a message and its taking a task, some are missing that
        are not lost. So only what is missing in two looks is; a queue that has lost nothing gets nothing.
        """
        if not (sweeping or self._missing):
            return
        missing = max(0, fair_queue.waiting_count() - self._messages())
        lost = min(missing, self._missing, RINGS)
        self._missing = missing
        if lost and self._queue_answers:
            log.info("Ringing again for %d tasks whose messages are lost or were never sent", lost)
            self._missing -= wakeup.send(lost, RING_FOR)

    def _messages(self) -> int:
        try:
            messages = huey.pending_count()
        except Exception:  # the queue has told of it
            self._queue_answers = False
            return 0
        self._queue_answers = True
        return messages


def _time_out(task: Task, verdict: Verdict) -> bool:
    """Record a verdict. False, and nothing done, while the database still holds the row for the run that is gone."""
    function = registry.functions.get(task.name)
    retries = function.retries if function else Retries()
    with changing_if_free(task) as free:
        if free:
            task.time_out(verdict.words, retries.wait(task.attempts), verdict.further)
    return free


def _about(task: Task) -> dict[str, Any]:
    """By what a line of the log is found that is about this task."""
    return {"fields": {"task_id": task.id, "kind": task.name, "user_id": task.user_id}}
