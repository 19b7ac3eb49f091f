"""Endings: what is to be done as a transaction commits, and what a savepoint that is rolled back takes back with it."""

import threading
from collections.abc import Callable
from typing import Any

from peewee import Database, _savepoint

Write = Callable[[list[Any]], object]


class _Last(threading.local):
    """What this thread's transaction has still to write: for each way of writing, for which keys."""

    def __init__(self) -> None:
        self.writes: dict[Write, set[Any]] = {}


_last = _Last()


def before_commit(database: Database, write: Write, key: Any) -> None:
    """Call `write` once as the last thing before this thread's transaction commits, with all keys given for it, sorted.

    So what everybody writes, a counter of a person's, is locked for no longer than the commit takes, and in one order
    by everybody. Now, with this key alone, if no transaction is open; never on a rollback, but for a savepoint that is
    rolled back alone: `write` must do no harm where nothing has changed.
    """
    if database.in_transaction():
        _last.writes.setdefault(write, set()).add(key)
    else:
        write([key])


class _Savepoint(_savepoint):
    """A savepoint whose rollback also forgets what was to be done after the commit because of it."""

    def __enter__(self) -> Any:
        self._before = len(self.db._state.commit_callbacks)
        return super().__enter__()

    def rollback(self, begin: bool = True) -> None:
        super().rollback(begin)
        del self.db._state.commit_callbacks[self._before :]


class Endings:
    """A database on which `before_commit` works, and `after_commit` in savepoints, too."""

    def begin(self, *args: Any, **options: Any) -> None:
        """Begin a transaction, with nothing to be written at its end yet."""
        _last.writes = {}  # a connection that broke may have left something
        super().begin(*args, **options)  # type: ignore[misc]

    def commit(self) -> None:
        """Write what is to be written last, then commit."""
        writes, _last.writes = _last.writes, {}
        for write, keys in writes.items():
            write(sorted(keys))
        super().commit()  # type: ignore[misc]

    def rollback(self) -> None:
        """Roll back, and forget what was to be written."""
        _last.writes = {}
        super().rollback()  # type: ignore[misc]

    def savepoint(self) -> _Savepoint:
        """A savepoint that takes back all that came by it."""
        return _Savepoint(self)
