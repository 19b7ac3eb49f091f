"""Places to search: few threads of a process search at a time, so that the others answer polls and pages meanwhile.

A search of an unusual kind may take until its timeout, and on PostgreSQL it holds one of the bulkhead's places.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from webapp.db.bulkhead import PLACES, SPARE_THREADS

AT_ONCE = PLACES // 2  # searches of a process
QUEUED = SPARE_THREADS - 1  # threads that wait for a place; whoever comes then is turned away at once
QUEUE_TIMEOUT = 1.0  # seconds; usual searches take some milliseconds

_free = BoundedSemaphore(AT_ONCE)
_free_or_queued = BoundedSemaphore(AT_ONCE + QUEUED)


class TooManySearches(Exception):
    """So many threads search that this one did not get a place. In a moment it may."""


@contextmanager
def search_place() -> Iterator[None]:
    """Have a place within the block. Raises TooManySearches if too many wait for one, or if none is free in time."""
    with _held(_free_or_queued, 0), _held(_free, QUEUE_TIMEOUT):
        yield


@contextmanager
def _held(places: BoundedSemaphore, timeout: float) -> Iterator[None]:
    if not places.acquire(timeout=timeout):
        raise TooManySearches
    try:
        yield
    finally:
        places.release()
