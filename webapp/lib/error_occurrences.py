"""Occurrences of errors: counted by kind in a table of bounded size, which threads share."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from webapp.lib.error_description import Description, Kind
from webapp.lib.times import utcnow

MOST_KINDS = 50  # told apart at a time; all others count as one
LOCKED_FOR = 0.2  # seconds that an error may wait for another thread's
TOO_MANY = Kind(__name__, "More kinds of errors at once than are told apart: see the log")


@dataclass(slots=True)
class Occurrences:
    """How often a kind of error has occurred since it was last handed on, and the first of these."""

    description: Description
    first_at: datetime
    last_at: datetime
    count: int = 1


class OccurrenceTable:
    """Counts errors by kind: MOST_KINDS of them, and one for all others.

    Whoever counts waits for LOCKED_FOR at most; an error that takes longer is not counted.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may log in the middle of this
        self._by_kind: dict[Kind, Occurrences] = {}

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    def count(self, kind: Kind, describe: Callable[[Kind], Description]) -> None:
        """Count an error. It is described only if it is the first of its kind."""
        if kind not in self._by_kind and len(self._by_kind) >= MOST_KINDS:
            kind = TOO_MANY
        now = utcnow()
        with self._locked() as is_locked:
            if not is_locked or self._repeat(kind, now):
                return
        found = Occurrences(describe(kind), now, now)  # without the lock, as this takes a while
        with self._locked() as is_locked:
            if is_locked and not self._repeat(kind, now):
                self._by_kind[kind] = found

    def take(self) -> list[Occurrences]:
        """All that was counted; the table is empty then."""
        with self._lock:
            found, self._by_kind = self._by_kind, {}
        return list(found.values())

    def put_back(self, taken: list[Occurrences]) -> None:
        """Count again what was taken, as far as there is room."""
        with self._lock:
            for before in taken:
                since = self._by_kind.get(before.description.kind)
                if since is None and len(self._by_kind) < MOST_KINDS:
                    self._by_kind[before.description.kind] = before
                elif since:
                    since.count, since.first_at = since.count + before.count, before.first_at

    def _repeat(self, kind: Kind, now: datetime) -> bool:
        """Count an error of a kind that is in the table; whether it is."""
        found = self._by_kind.get(kind)
        if found:
            found.count, found.last_at = found.count + 1, now
        return found is not None

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the lock within the block; whether it could be had."""
        is_locked = self._lock.acquire(timeout=LOCKED_FOR)
        try:
            yield is_locked
        finally:
            if is_locked:
                self._lock.release()
