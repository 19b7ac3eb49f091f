"""Commit hooks: what runs just before a transaction commits, and what a savepoint's rollback cancels.

Peewee calls back after a commit by itself; here a savepoint that is rolled back alone also drops the callbacks that
were registered in it.
"""

import threading
from collections.abc import Callable
from typing import Self, TypeAlias

from peewee import Database, _ConnectionLocal, _savepoint

Write: TypeAlias = Callable[[list[int]], object]


class _Deferred(threading.local):
    """What this thread's transaction has still to write: for each function, its keys."""

    def __init__(self) -> None:
        self.writes: dict[Write, set[int]] = {}


_deferred = _Deferred()


def before_commit(database: Database, write: Write, key: int) -> None:
    """Call `write` once, just before this thread's transaction commits, with all keys given for it, sorted.

    A row that every transaction writes, such as a person's counter, is then locked only for as long as the commit
    takes, and everyone locks such rows in the same order. Without a transaction, `write` runs at once with this key
    alone. It never runs on a rollback. If only a savepoint is rolled back it still runs: `write` must do no harm where
    nothing has changed.
    """
    if database.in_transaction():
        _deferred.writes.setdefault(write, set()).add(key)
    else:
        write([key])


class _Savepoint(_savepoint):
    """A savepoint whose rollback also drops the after-commit callbacks that were registered in it."""

    db: "CommitHooks"

    def __enter__(self) -> Self:
        self._before = len(self.db._state.commit_callbacks)
        return super().__enter__()

    def rollback(self, begin: bool = True) -> None:
        super().rollback(begin)
        del self.db._state.commit_callbacks[self._before :]


class CommitHooks(Database):
    """Mixin of a Peewee database on which `before_commit` works, and `after_commit` in savepoints."""

    _state: _ConnectionLocal

    def begin(self, *options: str | None) -> None:
        """Begin a transaction, with no deferred writes."""
        _deferred.writes = {}  # a connection that broke may have left some
        super().begin(*options)

    def commit(self) -> None:
        """Make the deferred writes, then commit."""
        writes, _deferred.writes = _deferred.writes, {}
        for write, keys in writes.items():
            write(sorted(keys))
        super().commit()

    def rollback(self) -> None:
        """Roll back, and drop the deferred writes."""
        _deferred.writes = {}
        super().rollback()

    def savepoint(self) -> _Savepoint:
        """A savepoint whose rollback also takes back its after-commit callbacks."""
        return _Savepoint(self)
