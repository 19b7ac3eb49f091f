"""Places that others have taken: all of them, and all in the queue for one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from webapp.lib.places import Places


@contextmanager
def taken(places: Places, queued: int | None = None) -> Iterator[None]:
    """Within the block others have every place, and so many wait for one; as many as may, unless it is said."""
    with ExitStack() as stack:
        for _ in range(places.at_once):
            stack.enter_context(places.place())
        for _ in range(places.queued if queued is None else queued):
            stack.enter_context(places._held(places._free_or_queued, 0))
        yield
