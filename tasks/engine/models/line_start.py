"""LineStart: where the line begins, so that whoever looks for its head need not pass what was taken from before it.

While a transaction keeps an old snapshot open, as a backup does for its whole time, PostgreSQL cannot clear the index
entries of tasks that were taken since. They lie before the head, in the thousands, and a search from the beginning
would pass them all each time. So a process searches from the beginning once a second only, and in between from what it
found there. What joins before that place meanwhile is found a second later, or as soon as nothing is found after it.
Workers look for the task to take next, and whoever starts a task for the turn to give it.
"""

import time
from collections.abc import Callable

from peewee import Database

from webapp.db import database, is_postgres

FOR_SECONDS = 1.0


class LineStart:
    """The key that this process found at the head of the line, or of a part of it. Threads may share one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: tuple[Database | None, int, float] = None, 0, 0.0

    def known(self) -> int | None:
        """The key from which to search, or None where it is to be from the beginning. Always None on SQLite."""
        db, key, until = self._found
        return key if db is database.obj and self._clock() < until else None

    def found(self, key: int | None) -> None:
        """A search from the beginning has found that key there, or none."""
        if key is not None and is_postgres():
            self._found = database.obj, key, self._clock() + FOR_SECONDS
