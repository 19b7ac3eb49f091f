"""Recording: how the end of a run is written, however long the database is away, and the next task claimed with it.

On SQLite a transaction is alone with the database, and its commit waits for the disk: so a worker that goes on from
task to task ends one and claims the next in one transaction. A process that is killed before that commit has ended
nothing and claimed nothing; after it, it holds the next task like any other claim, and its lease ends like any other.
On PostgreSQL these are two transactions, as each holds the row of its own person to its end.
"""

import logging
from collections.abc import Callable
from itertools import count
from uuid import uuid4

from peewee import DataError

from tasks.engine.config import config
from tasks.engine.models import IllegalTransition, Task
from tasks.engine.models.phrases import UNEXPECTED
from webapp.db import database, locks_rows
from webapp.db.resilience import is_unavailable, tirelessly
from webapp.lib.error_shape import shape_of

log = logging.getLogger(__name__)

Transition = Callable[[], object]


def claim() -> Task | None:
    """Claim the task whose turn it is, by a token made beforehand: a claim whose answer was lost is found by it.

    Where none waits, that takes one small read on SQLite, and not its write lock: messages may come for nothing.
    """
    token, tries = uuid4().hex, count()

    def take() -> Task | None:
        if next(tries) and (lost := Task.leased_by(token)):
            return lost
        is_any = locks_rows() or Task.is_any_claimable()
        return Task.claim(config().lease, token, config().worker) if is_any else None

    return tirelessly(take, _gives_up)


def record_end(task: Task, transition: Transition, goes_on: Callable[[], bool]) -> Task | None:
    """Make the transition that records how a run of the task ended.

    Returns the next task, claimed in the same transaction, if this worker `goes_on` and one waits. Raises
    IllegalTransition, having claimed nothing, when somebody else has moved the task on.
    """
    return tirelessly(_Recording(task, transition, goes_on).write, _gives_up)


def _gives_up() -> bool:
    """A worker that was told to stop waits for nothing."""
    return config().is_shutting_down()


class _Recording:
    """The end of one run. `write` may be called again after an error that came when the row had changed already."""

    def __init__(self, task: Task, transition: Transition, goes_on: Callable[[], bool]) -> None:
        self._task, self._transition, self._goes_on = task, transition, goes_on
        self._before, self._tries, self._token = dict(task.__data__), count(), uuid4().hex

    def write(self) -> Task | None:
        """Record it once, however often this is called; returns the task that was claimed with it, if one was.

        Raises IllegalTransition if somebody else has changed the row, and what the database raises.
        """
        again, tried = next(self._tries), dict(self._task.__data__)
        self._restore()
        try:
            if not again and not locks_rows() and self._goes_on():
                return self._write_and_claim()
            self._transition()
        except IllegalTransition as error:
            if not again or (error.task.state, error.task.updated_at) != (tried["state"], tried["updated_at"]):
                raise
            self._task.__data__.update(error.task.__data__)  # the first try succeeded, and only its answer was lost
        except (DataError, ValueError) as error:
            # The result or the error holds what this database cannot store; retrying cannot help.
            log.exception("How the run ended cannot be recorded")
            self._restore()
            self._task.fail(UNEXPECTED(), shape_of(error))
        return Task.leased_by(self._token) if again else None

    def _write_and_claim(self) -> Task | None:
        try:
            with database.transaction():
                self._transition()
                return Task.claim(config().lease, self._token, config().worker)
        except Exception as error:
            if isinstance(error, IllegalTransition) or is_unavailable(error):
                raise
            failure = error
        # A claim that fails costs nobody their outcome; where it was the outcome that failed, it does so again.
        self._restore()
        self._transition()
        log.error("The next task could not be claimed", exc_info=failure)
        return None

    def _restore(self) -> None:
        self._task.__data__.update(self._before)
