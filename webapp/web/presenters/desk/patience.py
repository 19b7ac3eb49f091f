"""Patience: a page that shows what can be read, and says of the rest that it cannot be."""

import time
from collections.abc import Callable
from typing import TypeVar

from peewee import PeeweeException

from webapp.db import briefly
from webapp.web import outages

EACH, ALL = 1.0, 3.0  # seconds: for each question, and for all of a page
Result = TypeVar("Result")


class Patience:
    """What one page still waits for. Make one for each request."""

    def __init__(self) -> None:
        self._until = time.monotonic() + ALL
        self.is_whole = True  # so far

    @property
    def left(self) -> float:
        """How long the next question may take, in seconds; 0 or less where none may be asked."""
        return min(EACH, self._until - time.monotonic())

    def read(self, ask: Callable[[], Result]) -> Result | None:
        """What `ask` reads from the database; None where that does not answer, as from a table that is locked.

        It is in the log then, as any outage.
        """
        if (left := self.left) > 0:
            try:
                with briefly(left):
                    return ask()
            except PeeweeException as error:
                outages.words_for(error)
        self.is_whole = False
        return None
