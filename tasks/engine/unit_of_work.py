"""The unit of work: what the steps of a run write, in one transaction with the cursor that says that they are done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from peewee import PeeweeException

from webapp.db import database, open_at_first_write, sqlite_lock
from webapp.db.resilience import close_if_broken


class UnitOfWork:
    """A transaction that begins with the first write, whoever makes it, and ends with a checkpoint.

    `fence` runs first in it; it raises if another run has the task, and else keeps any other from taking it until the
    transaction ends. For one thread.
    """

    def __init__(self, fence: Callable[[], None]) -> None:
        self._fence = fence
        self._transaction: Any = None
        # When it began, by time.monotonic(); None while nothing is written. It holds SQLite's only write lock since.
        self.begun: float | None = None

    def arm(self) -> None:
        """From now on, the first write begins the transaction."""
        open_at_first_write(self._begin)

    def disarm(self) -> None:
        """From now on, writes are nothing special."""
        open_at_first_write(None)

    @contextmanager
    def closing(self) -> Iterator[None]:
        """The last writes of the transaction, which ends with the block; a transaction of their own if none began."""
        self.disarm()
        if self._transaction is None:
            with database.atomic():
                yield
        else:
            yield
            self._end()

    def abandon(self) -> bool:
        """Roll back what was written since the last checkpoint. Whether there was anything."""
        self.disarm()
        if self._transaction is None:
            return False
        with suppress(PeeweeException):  # a database that failed may have rolled it back by itself
            self._end(RuntimeError())
        close_if_broken()
        return True

    def _begin(self) -> None:
        transaction = database.atomic()
        try:
            with sqlite_lock.as_run():
                transaction.__enter__()
        except BaseException:
            self.arm()  # nothing has begun: whoever goes on after this writes in the unit all the same, or not at all
            raise
        self._transaction, self.begun = transaction, time.monotonic()
        self._fence()

    def _end(self, error: BaseException | None = None) -> None:
        transaction, self._transaction, self.begun = self._transaction, None, None
        transaction.__exit__(type(error) if error else None, error, None)
