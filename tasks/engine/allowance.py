"""Allowance: how much a run may still store for its owner, asked about rarely."""

from math import inf

from tasks.engine.config import config
from tasks.engine.errors import TaskError
from tasks.engine.models import Task

GRANT = 1_000_000  # bytes, for which one asks at once: so many each run may store beyond what its owner may


class Allowance:
    """What the artifacts of one run may take. Other runs of the same owner have their own.

    Asks what is left in the first place, and then whenever a megabyte was written; never, unless it `is_limited`. For
    one thread.
    """

    def __init__(self, task: Task, is_limited: bool) -> None:
        self._task, self._is_limited = task, is_limited
        self._granted: float = 0
        self._unsaved = 0  # bytes taken that nobody else can count yet

    def take(self, size: int) -> None:
        """Take so many bytes. Raises TaskError, in words for people, where that is more than there is room for."""
        if size > self._granted:
            self._renew(size)
        self._granted -= size
        self._unsaved += size

    def saved(self, size: int) -> None:
        """So many of the bytes taken are counted by the database now, or are never written."""
        self._unsaved -= size

    def _renew(self, size: int) -> None:
        left = config().storage.left(self._task.user) if self._is_limited else None
        if left is None:
            self._granted = inf
            return
        left -= self._unsaved
        if size > left:
            raise TaskError(config().storage.full(self._task.user))
        self._granted = min(left, max(size, GRANT))
