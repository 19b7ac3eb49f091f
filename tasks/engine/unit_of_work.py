"""The unit of work: what the steps of a run write, in one transaction with the checkpoint that counts the steps."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from peewee import PeeweeException, _atomic

from webapp.db import database, open_at_first_write, sqlite_lock
from webapp.db.resilience import close_if_broken


class UnitOfWork:
    """A transaction that begins with the first write, whoever makes it, and ends with a checkpoint.

    `fence` is its first statement: it raises if another run has the task, and otherwise keeps any other from taking it
    until the transaction ends. So any write of a task function may raise LeaseLost. For one thread.
    """

    def __init__(self, fence: Callable[[], None]) -> None:
        self._fence = fence
        self._transaction: _atomic | None = None
        # By time.monotonic(); None while nothing is written. From then on it holds SQLite's only write lock.
        self.begun_at: float | None = None

    def watch(self) -> None:
        """From now on, the first write begins the transaction."""
        open_at_first_write(self._begin)

    def unwatch(self) -> None:
        """From now on, a write begins nothing."""
        open_at_first_write(None)

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Commit with the block's writes as the last ones; they have a transaction of their own if none has begun.

        If the block raises, the transaction stays open until `roll_back`. Writes are not watched afterwards.
        """
        self.unwatch()
        if self._transaction is None:
            with database.atomic():
                yield
        else:
            yield
            self._end(self._transaction)

    def roll_back(self) -> bool:
        """Undo what was written since the latest checkpoint. Whether there was anything."""
        self.unwatch()
        if self._transaction is None:
            return False
        with suppress(PeeweeException):  # a database that failed may have rolled it back by itself
            self._end(self._transaction, RuntimeError())
        close_if_broken()
        return True

    def _begin(self) -> None:
        transaction = database.atomic()
        try:
            with sqlite_lock.as_run():
                transaction.__enter__()
        except BaseException:
            self.watch()  # nothing has begun: whoever goes on after this still writes in the unit, or not at all
            raise
        self._transaction, self.begun_at = transaction, time.monotonic()
        self._fence()

    def _end(self, transaction: _atomic, error: BaseException | None = None) -> None:
        self._transaction, self.begun_at = None, None
        transaction.__exit__(type(error) if error else None, error, None)
