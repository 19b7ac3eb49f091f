"""Retention: deletes what is old, a little at a time, so that nobody waits for it.

An old task is first hidden from its owner. Then what belongs to it is deleted, and the task itself last; what a purge
leaves behind that is cut off, the next one finds. Each transaction is short: it writes as many rows as lately took
TRANSACTION_SECONDS. On PostgreSQL it waits for no lock of others, except for the counters that everybody writes last.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from peewee import Expression, Model, ModelDelete, ModelSelect, ModelUpdate, Select

from tasks.engine.config import config
from tasks.engine.models import Artifact, FailureGroup, Task, observers
from tasks.engine.models.removal import Held, clear, key_of
from tasks.engine.models.state import FINISHED
from webapp.db import Row, database, locking
from webapp.lib.times import utcnow

TRANSACTION_SECONDS = 0.015  # that one should take
ROWS_AT_LEAST = 4  # in one, however long they take
PAUSE = 0.01  # seconds between two, at least
Result = TypeVar("Result")
PurgeSome = Callable[[int], int]

also_purged: dict[type[Model], PurgeSome] = {FailureGroup: FailureGroup.purge}


def also_purge(model: type[Model], purge_some: PurgeSome) -> None:
    """Register what else a purge deletes: a function that deletes up to so many old rows of a model, and returns how
    many there were. It is called in a transaction of its own, until there is none."""
    also_purged[model] = purge_some


def purge() -> int:
    """Delete all that is older than the settings allow; returns how many finished tasks and expired files that were.

    Finished tasks go with all that belongs to them, hidden ones after `Config.keep_internal`; an artifact that has
    expired leaves its name, without content. Then what `also_purge` has registered. What somebody else has locked stays
    for the next purge.
    """
    gone, purging = 0, Purge()
    for number in purging.steps():
        gone += number
        if not database.in_transaction():
            purging.rest()
    return gone


class Purge:
    """One purge in steps, so that the caller can pause between them."""

    def __init__(self) -> None:
        self._rows: dict[type[Model], int] = defaultdict(lambda: config().rows_at_first)  # in a transaction
        self.took = 0.0  # seconds, the latest transaction

    def rest(self) -> None:
        """Pause for as long as the latest step took, so that others can write half of the time."""
        time.sleep(max(PAUSE, self.took))

    def steps(self) -> Iterator[int]:
        """Each step is one short transaction, and says how many finished tasks or expired files it has deleted."""
        old, hidden = utcnow() - config().keep_tasks, utcnow() - config().keep_internal
        try:
            yield from self._delete_hidden(hidden)
            while found := self._some(Task, *_ended(False, old)):
                if not self._timed(Task, partial(_hide, found, old)):
                    break
                yield 0
                yield from self._delete_hidden(hidden)
            while found := self._some(Artifact, Artifact.expires_at < utcnow(), Artifact.expired_at.is_null()):
                yield self._timed(Artifact, partial(_expire, found))
            # `expires_at` stays as long as there may be content.
            while found := self._some(Artifact, Artifact.expires_at < utcnow(), Artifact.expired_at.is_null(False)):
                yield from self._clear(Artifact, found)
                yield 0 * self._write(Artifact.update(expires_at=None), _by_ids(Artifact, found))
            for model, purge_some in also_purged.items():
                while self._timed(model, partial(purge_some, self._rows[model])):
                    yield 0
        except Held:
            return

    def _delete_hidden(self, before: datetime) -> Iterator[int]:
        while found := self._some(Task, *_ended(True, before)):
            yield from self._clear(Task, found)
            yield self._timed(Task, partial(_delete, found, before))

    def _some(self, model: type[Model], *which: Expression) -> list[UUID]:
        """The ids of as many rows as one transaction should write, the oldest first."""
        order = Task.finished_at if model is Task else Artifact.expires_at
        query = model.select(key_of(model)).where(*which).order_by(order).limit(self._rows[model])
        rows: Iterable[Row] = query.tuples()
        return [row_id for (row_id,) in rows]

    def _clear(self, model: type[Model], ids: list[UUID]) -> Iterator[int]:
        for _ in clear(model, ids, lambda other: self._rows[other], self._write):
            yield 0

    def _write(self, query: ModelUpdate | ModelDelete, rows: Select) -> int:
        """Delete or change the rows that nobody else has locked. Raises Held if that is none."""
        free = key_of(query.model).in_(locking(rows, skip_locked=True))
        done: int = self._timed(query.model, query.where(free).execute)
        if not done:
            raise Held
        return done

    def _timed(self, model: type[Model], write: Callable[[], Result]) -> Result:
        with database.transaction():
            begun = time.monotonic()  # not before: it may have waited for others
            result = write()
        self.took = time.monotonic() - begun
        if self.took < TRANSACTION_SECONDS / 2:
            self._rows[model] = min(config().rows_at_most, 2 * self._rows[model])
        elif self.took > TRANSACTION_SECONDS:
            self._rows[model] = max(ROWS_AT_LEAST, self._rows[model] // 2)
        return result


def _ended(hidden: bool, before: datetime) -> tuple[Expression, ...]:
    return Task.hidden == hidden, Task.finished_at < before, Task.state.in_(FINISHED), Task.parent.is_null()


def _by_ids(model: type[Artifact], ids: list[UUID]) -> "ModelSelect[Artifact]":
    return model.select(model.id).where(model.id.in_(ids))


def _lock_unchanged(ids: list[UUID], hidden: bool, before: datetime) -> list[Task]:
    """Lock the tasks that are still as they were found: an owner may just have retried one.

    Selected by id alone and checked here: with more conditions, a database may walk all that is old instead.
    """
    found = locking(Task.select().where(Task.id.in_(ids)), skip_locked=True)
    return [
        task
        for task in found
        if task.is_finished and task.hidden == hidden and task.finished_at and task.finished_at < before
    ]


def _hide(ids: list[UUID], before: datetime) -> int:
    """Hide finished tasks from their owners."""
    tasks = _lock_unchanged(ids, False, before)
    for task in tasks:
        observers.refreshed(task.user_id)
    return int(Task.update(hidden=True).where(Task.id.in_([task.id for task in tasks])).execute())


def _delete(ids: list[UUID], before: datetime) -> int:
    """Delete hidden tasks of which nothing else is left. Raises Held if somebody has locked them all."""
    tasks = _lock_unchanged(ids, True, before)
    if not tasks:
        raise Held
    return int(Task.delete().where(Task.id.in_([task.id for task in tasks])).execute())


def _expire(ids: list[UUID]) -> int:
    """Mark files as expired before any of their content is deleted. Raises Held if somebody has locked them all."""
    rows = locking(_by_ids(Artifact, ids).where(Artifact.expired_at.is_null()), skip_locked=True)
    expired = [artifact.id for artifact in rows]
    if not expired:
        raise Held
    for artifact in Artifact.select(Artifact.id, Task.user).join(Task).where(Artifact.id.in_(expired)):
        observers.refreshed(artifact.task.user_id)
    return int(Artifact.update(expired_at=utcnow()).where(Artifact.id.in_(expired)).execute())
