"""The run log: the lines that a run adds to its task's timeline, each once, even when its step is undone."""

import logging
from collections.abc import Callable
from datetime import datetime

from peewee import PeeweeException

from tasks.engine.models import Task
from webapp.db import database
from webapp.db.resilience import persistently
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow

log = logging.getLogger(__name__)


class RunLog:
    """Buffers the lines that come while a transaction is open, until it ends.

    `fence` raises if another run has the task.
    """

    def __init__(self, task: Task, fence: Callable[[], None]) -> None:
        self._task, self._fence = task, fence
        self._buffer: list[tuple[datetime, Words]] = []

    def append(self, words: Words) -> None:
        """Buffer a line: written now, it would go with its step if that is undone."""
        self._buffer.append((utcnow(), words))

    def flush(self) -> None:
        """Write the buffered lines in a transaction of their own. Not while another is open."""
        if self._buffer:
            with database.transaction():
                self._fence()
                self.write()
            self.clear()

    def write(self) -> None:
        """Write the buffered lines in the transaction that is open; call `clear` once it is committed."""
        for at, words in self._buffer:
            self._task.log(words, at)

    def clear(self) -> None:
        """Drop the lines that are written for good."""
        self._buffer.clear()

    def flush_if_possible(self) -> None:
        """As `flush`, for a run that has failed: if this fails, too, it must not change the outcome."""
        try:
            persistently(self.flush)
        except PeeweeException as error:
            lines = "; ".join(str(words) for _, words in self._buffer)
            log.warning("Task %s said what could not be written (%s): %s", self._task.id, error, lines)
