"""Leadership: one sweeper at a time does the work, however many workers there are."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tasks.engine.config import config
from tasks.engine.models import Leader

ROLE = "sweeper"
Item = TypeVar("Item")


class LeadershipLost(Exception):
    """A look has taken so long that another sweeper leads."""


class Leadership:
    """One sweeper's claim to lead, by its `token`. It lasts for `Config.lead_for` and is renewed while work goes on."""

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token, self._clock = token, clock
        self._held_at = 0.0

    def hold(self) -> bool:
        """Lead, or go on leading, unless another does. Whether this one leads."""
        self._held_at = self._clock()
        return Leader.hold(ROLE, self._token, config().lead_for)

    def while_held(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items one by one: each may take long, as when the queue does not answer. Raises LeadershipLost."""
        for item in list(items):
            if self._clock() - self._held_at >= config().renew_lead_every and not self.hold():
                raise LeadershipLost
            yield item

    def resign(self) -> None:
        """Let another lead at once."""
        Leader.resign(ROLE, self._token)
