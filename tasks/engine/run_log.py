"""What a run says for its task's timeline: each line is there once, also when the step that said it is undone."""

import logging
from collections.abc import Callable
from datetime import datetime

from peewee import PeeweeException

from webapp.db import database
from webapp.db.resilience import persistently
from webapp.lib.times import utcnow
from webapp.models import Task

log = logging.getLogger(__name__)


class Sayings:
    """The lines of one run. Those said while a transaction is open are kept here until it ends.

    `fence` raises if another run has the task.
    """

    def __init__(self, task: Task, fence: Callable[[], None]) -> None:
        self._task, self._fence = task, fence
        self._kept: list[tuple[datetime, str]] = []

    def say(self, text: str) -> None:
        """Write what was kept, and a line more, now."""
        self.keep(text)
        self.say_all()

    def keep(self, text: str) -> None:
        """Keep a line: it would go with what is written so far, if that is undone."""
        self._kept.append((utcnow(), text))

    def say_all(self) -> None:
        """Write what was kept, now that no transaction is open."""
        if self._kept:
            with database.transaction():
                self._fence()
                self.write()
            self.were_written()

    def write(self) -> None:
        """Write what was kept; it stands when the transaction does, and `were_written` says that it does."""
        for at, text in self._kept:
            self._task.log(text, at)

    def were_written(self) -> None:
        """Keep no more what stands by now."""
        self._kept.clear()

    def say_if_possible(self) -> None:
        """The same as `say_all` for a run that has failed: whether this works must not change what is told of that."""
        try:
            persistently(self.say_all)
        except PeeweeException as error:
            lines = "; ".join(text for _, text in self._kept)
            log.warning("Task %s said what could not be written (%s): %s", self._task.id, error, lines)
