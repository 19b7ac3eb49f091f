"""Grace: for how long nobody's lease has ended after the database was away, as nobody could renew any meanwhile."""

import time

from tasks.engine.config import config

CATCH_UP = 5.0  # seconds: how much later than we others may hear from a database that is back, still waiting in vain
AT_MOST = 2  # times as long, where it comes and goes: who has died must not wait for a network that is never well


class Grace:
    """What one process knows by how it is answered itself. Times are by time.monotonic()."""

    def __init__(self) -> None:
        self._was_away = False
        self._heard_at = time.monotonic()
        self._well_at = self._over_at = self._ends_at = 0.0

    @property
    def is_over(self) -> bool:
        """Whether whoever has not renewed a lease by now could have."""
        return time.monotonic() >= self._over_at

    def is_away(self) -> None:
        """The database has not answered."""
        self._was_away = True

    def hears(self, asked_at: float) -> None:
        """The database has answered now what it was asked then. Where that took long it was away meanwhile."""
        now, lease = time.monotonic(), config.lease.total_seconds()
        if self._was_away or now - asked_at > lease / 2:
            grace = lease + CATCH_UP
            if now >= self._well_at or now - self._heard_at > AT_MOST * grace:
                self._ends_at = now + AT_MOST * grace
            self._well_at = now + grace
            self._over_at = min(self._well_at, self._ends_at)
        self._was_away, self._heard_at = False, now
