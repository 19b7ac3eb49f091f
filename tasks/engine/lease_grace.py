"""Lease grace: for how long no lease counts as ended after the database was away, as nobody could renew any."""

import time
from collections.abc import Callable

from tasks.engine.config import config

AT_MOST = 2  # times as long, where it comes and goes: a crashed run must not wait for a network that is never well


class LeaseGrace:
    """What one process learns from how the database answers it. All times are of `clock`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._was_away = False
        self._answered_at = clock()
        self._well_at = self._over_at = self._ends_at = 0.0

    @property
    def is_over(self) -> bool:
        """Whether a run that has not renewed its lease by now could have."""
        return self._clock() >= self._over_at

    def database_is_away(self) -> None:
        """The database has not answered."""
        self._was_away = True

    def database_answers(self, asked_at: float) -> None:
        """The database has answered now what it was asked then. If that took long, it was away meanwhile."""
        now, lease = self._clock(), config().lease.total_seconds()
        if self._was_away or now - asked_at > lease / 2:
            grace = lease + config().lease_catch_up
            if now >= self._well_at or now - self._answered_at > AT_MOST * grace:
                self._ends_at = now + AT_MOST * grace
            self._well_at = now + grace
            self._over_at = min(self._well_at, self._ends_at)
        self._was_away, self._answered_at = False, now
