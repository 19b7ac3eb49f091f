"""How long a process serves, and how long it keeps a connection, which it closes with an answer."""

import logging
import time

from webapp.web.server.connection import Connection
from webapp.web.server.limits import RENEWAL_RATE, STOP_KEEPALIVE

log = logging.getLogger(__name__)


class Lifetime:
    """Counts answers, and says with which of them a connection is closed.

    After `max_requests` the process is renewed: it takes no new connection and closes RENEWAL_RATE of them a second,
    each with its answer, until none is left or the idle ones have been idle for `keepalive` seconds.
    """

    def __init__(self, max_requests: int, keepalive: float) -> None:
        self._left, self._keepalive = max_requests, keepalive
        self.is_ending = False  # was told to
        self._renewed_until: float | None = None
        self._allowed_at = 0.0

    @property
    def keepalive(self) -> float:
        """How many seconds a connection may be idle."""
        return min(self._keepalive, STOP_KEEPALIVE) if self.is_ending else self._keepalive

    @property
    def is_renewed(self) -> bool:
        """Whether another process is to take its place."""
        return self._renewed_until is not None

    def is_over(self, connections: int) -> bool:
        """Whether that process may come now."""
        return self._renewed_until is not None and (not connections or time.monotonic() > self._renewed_until)

    def count(self, status: int) -> None:
        """An answer of this status was made. 304 leaves nothing behind."""
        self._left -= status != 304
        if self._left <= 0 and not self.is_renewed:
            log.info("The process is renewed: it closes its connections with their answers")
            self._renewed_until = time.monotonic() + self._keepalive

    def is_last(self, connection: Connection) -> bool:
        """Whether the answer to this request closes its connection."""
        now = time.monotonic()
        if self.is_ending or now > connection.retire_at:
            return True
        if not self.is_renewed or now < self._allowed_at:
            return False
        self._allowed_at = max(self._allowed_at, now - 1) + 1 / RENEWAL_RATE
        return True
