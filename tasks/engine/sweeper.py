"""The sweeper: finds what nobody else would, so that every task that was started comes to its end.

It takes tasks from runs whose lease has ended, wakes what is due, rings again when the queue has lost messages, sees to
the duties that others have declared, and deletes what is old. Each worker has one; one of them at a time, the leader,
does the work.
"""

import logging
import math
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from tasks.engine import doorbell
from tasks.engine.duties import Duty, duties
from tasks.engine.grace import Grace
from tasks.engine.limits import limits
from tasks.engine.purge import purge
from tasks.queue import huey
from webapp import seldom
from webapp.models import Leader, Task, line
from webapp.models.state import HELD
from webapp.resilience import close_if_broken, is_unavailable
from webapp.times import utcnow

log = logging.getLogger(__name__)

ROLE = "sweeper"
LOOK_EVERY = 1.0  # seconds: how exactly what is due starts, and how soon another leads when the leader has died
LEADS_FOR = timedelta(seconds=2)
AT_ONCE = 200  # tasks of each kind in one look
RINGS = 5000  # messages in one look; the next look sends more
AT_ONCE_OF_DUTY = 40  # tasks that each duty may start in one sweep: that takes about a second where each takes 20 ms
PURGE_EVERY = 3600.0
SOON = timedelta(seconds=90)


class Sweeper:
    """One process's sweeper. Call `look` about every LOOK_EVERY seconds."""

    def __init__(self) -> None:
        self._token = uuid4().hex
        self._next_sweep = 0.0
        self._next_purge = 0.0
        self._missing = 0
        self._line: object = None
        self._queue_answers = True
        self._grace = Grace()
        self._looked_at = math.inf  # by time.monotonic()

    def look(self) -> None:
        """Do what is to be done now, if this one leads. Raises when the database does not answer.

        Where this one has not heard from the database, others could not renew their leases either. So these are good
        for another one from when it answers.
        """
        try:
            self._look()
        except Exception as error:
            if is_unavailable(error):
                self._grace.is_away()
            raise
        finally:
            self._looked_at = time.monotonic()
            close_if_broken()

    def _look(self) -> None:
        leads = Leader.hold(ROLE, self._token, LEADS_FOR)
        self._grace.hears(self._looked_at + LOOK_EVERY)
        if not leads:
            return
        asked_at = time.monotonic()
        due = list(Task.due(AT_ONCE))
        self._grace.hears(asked_at)
        for task in due:
            self._try(task, task.wake)
        now = time.monotonic()
        sweeping = now >= self._next_sweep
        if sweeping:
            self._next_sweep = now + limits.sweep.total_seconds()
            self._rescue()
            self._tell_waiting()
        self._refill(sweeping)
        for duty in duties if sweeping else ():
            self._see_to(duty)
        if now >= self._next_purge and not purge(AT_ONCE):
            self._next_purge = now + PURGE_EVERY

    def resign(self) -> None:
        """Let another lead at once."""
        Leader.resign(ROLE, self._token)

    def _rescue(self) -> None:
        # No lease lasts longer than from now; one that does is from before the clock was set back.
        asked_at, longest = time.monotonic(), utcnow() + limits.lease
        stepped_back = Task.state.in_(HELD), Task.lease_until > longest + limits.lease
        Task.update(lease_until=longest).where(*stepped_back).execute()
        lost = list(Task.lost(AT_ONCE))
        self._grace.hears(asked_at)
        for task in lost if self._grace.is_over else ():
            if self._try(task, task.rescue):
                log.warning("Task %s %s: its worker was not heard from; it is %s", task.id, task.name, task.state)

    def _try(self, task: Task, move: Callable[[], bool]) -> bool:
        """What a move says; a task that cannot be moved is tried again at the next look, and holds up no other."""
        asked_at = time.monotonic()
        try:
            return move()
        except Exception as error:
            if is_unavailable(error):
                raise
            log.exception("Task %s %s could not be moved", task.id, task.name)
            return False
        finally:
            self._grace.hears(asked_at)

    def _see_to(self, duty: Duty) -> None:
        try:
            duty(AT_ONCE_OF_DUTY)
        except Exception as error:
            if is_unavailable(error):
                raise
            log.exception("The duty %s failed", duty.__name__)

    def _tell_waiting(self) -> None:
        now = line.mark(Task)
        line.tell_waiting(Task, SOON, moved=now != self._line)
        self._line = now

    def _refill(self, sweeping: bool) -> None:
        """Ring as often as the queue has fewer messages than tasks wait.

        Between the two counts, and between a worker's taking a message and its taking a task, some are missing that
        are not lost. So only what is missing in two looks is; a queue that has lost nothing gets nothing.
        """
        if not (sweeping or self._missing):
            return
        missing = max(0, line.length(Task) - self._messages())
        lost = min(missing, self._missing, RINGS)
        self._missing = missing
        if lost and self._queue_answers:
            log.info("Ringing again for %d tasks whose messages are lost or were never sent", lost)
            doorbell.ring(lost)
            self._missing -= lost

    def _messages(self) -> int:
        try:
            messages = huey.pending_count()
        except Exception as error:
            if self._queue_answers:
                log.warning("The queue does not answer: %s", seldom.in_one_line(error))
            self._queue_answers = False
            return 0
        self._queue_answers = True
        return int(messages)
