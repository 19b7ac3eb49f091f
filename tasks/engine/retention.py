"""Purging: what is old goes, a little at a time, so that nobody waits for it.

An old task first becomes quiet, by which its owner sees nothing of it any more. Then what belongs to it goes, and it
itself last; what a purge leaves behind that is cut off, the next one finds. Each transaction is short: it writes as
many rows as lately took GOAL. On PostgreSQL none waits for what others have locked, but for the counters that
everybody writes last.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from peewee import Model

from tasks.engine.config import config
from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models import Artifact, FormKey, Task, User
from webapp.models.task.removal import Held, clear, key_of
from webapp.models.task.state import FINISHED

KEEP_QUIET = timedelta(hours=1)  # long enough to be found by who reads the log
GOAL = 0.015  # seconds that a transaction should take
LEAST, FIRST, MOST = 4, 20, 500  # rows in one: where each takes long, at first, and ever
PAUSE = 0.01  # seconds at least between two
Result = TypeVar("Result")


def purge() -> int:
    """Delete all that is older than the settings allow; returns how many finished tasks and expired files that were.

    Finished tasks go with all that belongs to them, quiet ones after KEEP_QUIET; an artifact that has expired leaves
    its name, without content. What was made from which form is known for a day. What somebody else has locked just now
    stays for the next time.
    """
    gone, purging = 0, Purge()
    for number in purging.steps():
        gone += number
        if not database.in_transaction():
            purging.rest()
    return gone


class Purge:
    """One purge, taken in steps by whoever wants pauses between them."""

    def __init__(self) -> None:
        self._most: dict[type[Model], int] = defaultdict(lambda: FIRST)
        self.took = 0.0  # seconds, the latest transaction

    def rest(self) -> None:
        """Between two steps: as long as the latest took, so that others write in half of the time."""
        time.sleep(max(PAUSE, self.took))

    def steps(self) -> Iterator[int]:
        """Each step is one short transaction; it says how many finished tasks or expired files have gone by it."""
        old, quiet = utcnow() - config.keep_tasks, utcnow() - KEEP_QUIET
        try:
            yield from self._delete_quiet(quiet)
            while found := self._some(Task, *_ended(False, old)):
                if not self._timed(Task, partial(_make_quiet, found, old)):
                    break
                yield 0
                yield from self._delete_quiet(quiet)
            while found := self._some(Artifact, Artifact.expires_at < utcnow(), Artifact.expired_at.is_null()):
                yield self._timed(Artifact, partial(_expire, found))
            # `expires_at` stays as long as there may be content.
            while found := self._some(Artifact, Artifact.expires_at < utcnow(), Artifact.expired_at.is_null(False)):
                yield from self._clear(Artifact, found)
                yield 0 * self._write(Artifact.update(expires_at=None), _these(Artifact, found))
            while self._timed(FormKey, partial(FormKey.purge, self._most[FormKey])):
                yield 0
        except Held:
            return

    def _delete_quiet(self, before: datetime) -> Iterator[int]:
        while found := self._some(Task, *_ended(True, before)):
            yield from self._clear(Task, found)
            yield self._timed(Task, partial(_delete, found, before))

    def _some(self, model: type[Model], *which: Any) -> list[Any]:
        """As many ids as one transaction should be about, the oldest first."""
        order = Task.finished_at if model is Task else Artifact.expires_at
        query: Any = model.select(key_of(model)).where(*which).order_by(order).limit(self._most[model])
        return [row_id for (row_id,) in query.tuples()]

    def _clear(self, model: type[Model], ids: list[Any]) -> Iterator[int]:
        for _ in clear(model, ids, lambda other: self._most[other], self._write):
            yield 0

    def _write(self, query: Any, rows: Any) -> int:
        """Delete or change those rows that nobody else has locked; Held when that is none."""
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
        if self.took < GOAL / 2:
            self._most[model] = min(MOST, 2 * self._most[model])
        elif self.took > GOAL:
            self._most[model] = max(LEAST, self._most[model] // 2)
        return result


def _ended(hidden: bool, before: datetime) -> tuple[Any, ...]:
    return Task.hidden == hidden, Task.finished_at < before, Task.state.in_(FINISHED), Task.parent.is_null()


def _these(model: Any, ids: list[Any]) -> Any:
    return model.select(model.id).where(model.id.in_(ids))


def _still(ids: list[Any], hidden: bool, before: datetime) -> list[Task]:
    """Those that are as they were found, and stay so: their owner may just have tried one again.

    By their ids alone, and looked at here: with more conditions, a database may walk all that is old instead.
    """
    found = locking(Task.select().where(Task.id.in_(ids)), skip_locked=True)
    return [task for task in found if task.is_finished and task.hidden == hidden and task.finished_at < before]


def _make_quiet(ids: list[Any], before: datetime) -> int:
    """Take finished tasks from their owners."""
    tasks = _still(ids, False, before)
    for task in tasks:
        User.count_change(task.user_id)
    return int(Task.update(hidden=True).where(Task.id.in_([task.id for task in tasks])).execute())


def _delete(ids: list[Any], before: datetime) -> int:
    """Delete quiet tasks of which nothing else is left. Raises Held when somebody has them all."""
    tasks = _still(ids, True, before)
    if not tasks:
        raise Held
    return int(Task.delete().where(Task.id.in_([task.id for task in tasks])).execute())


def _expire(ids: list[Any]) -> int:
    """Take the content of files from their owners, before anything of it is gone. Raises Held as `_delete` does."""
    rows = locking(_these(Artifact, ids).where(Artifact.expired_at.is_null()), skip_locked=True)
    expired = [artifact.id for artifact in rows]
    if not expired:
        raise Held
    for artifact in Artifact.select(Artifact.id, Task.user).join(Task).where(Artifact.id.in_(expired)):
        User.count_change(artifact.task.user_id)
    return int(Artifact.update(expired_at=utcnow()).where(Artifact.id.in_(expired)).execute())
