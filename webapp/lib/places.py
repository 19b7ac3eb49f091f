"""Places: few threads of a process do something costly at a time, so that the others answer all else meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore


class Places:
    """So many threads `at_once`, and so many more that wait for one of them to end, `within` seconds at most.

    Whoever comes then is turned away at once, with the exception that `refuse` makes. Not to be taken twice by one
    thread. A process that forks before it takes one has its own.
    """

    def __init__(self, at_once: int, queued: int, within: float, refuse: Callable[[], Exception]) -> None:
        self.at_once, self.queued, self.within, self._refuse = at_once, queued, within, refuse
        self._free = BoundedSemaphore(at_once)
        self._free_or_queued = BoundedSemaphore(at_once + queued)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place within the block. Raises what `refuse` makes if too many wait, or none is free in time."""
        with self._held(self._free_or_queued, 0), self._held(self._free, self.within):
            yield

    def demand(self) -> None:
        """Raise what `refuse` makes if too many wait now: before anything is done that would be in vain."""
        with self._held(self._free_or_queued, 0):
            pass

    @contextmanager
    def _held(self, places: BoundedSemaphore, timeout: float) -> Iterator[None]:
        if not places.acquire(timeout=timeout):
            raise self._refuse()
        try:
            yield
        finally:
            places.release()
