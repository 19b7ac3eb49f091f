"""MailPace: how fast mail to many may go since the mail server has asked for less, for all processes of the site.

Additive increase, multiplicative decrease, as in TCP: each time that the server asks, the rate is halved; each minute
without, it rises by a bit. Where it would exceed FASTEST there is no limit any more.
"""

import time
from typing import Any

from peewee import EXCLUDED, Case, DoubleField, IntegerField

from webapp.db import BaseModel

FIRST = 60.0  # mails a minute when the server asks for the first time; halved at once
SLOWEST = 1.0
FASTEST = 600.0
RAISE = 10.0  # mails a minute, each minute
HEEDED_EVERY = 10.0  # seconds: what is asked meanwhile was about mails from before
REST = 5.0  # seconds without any after the server has asked
SAVED_UP = 60.0  # seconds whose turns nobody has taken, and somebody may still take, at once
ONLY = 1  # the id of the one row


class MailPace(BaseModel):
    """The one row, written only once a mail server has asked for less. Times are seconds since 1970."""

    id = IntegerField(primary_key=True)
    per_minute = DoubleField(help_text="the rate as of then")
    changed_at = DoubleField()
    next_at = DoubleField(help_text="when the next mail may go")

    class Meta:
        table_name = "mail_paces"

    @classmethod
    def current(cls) -> "MailPace | None":
        """The pace, None where there is no limit. One query."""
        found: MailPace | None = cls.get_or_none(cls.id == ONLY)
        return found if found and found.rate < FASTEST else None

    @property
    def rate(self) -> float:
        """Mails a minute, as of now."""
        return float(self.per_minute + RAISE * max(0.0, time.time() - self.changed_at) / 60)

    @classmethod
    def slow_down(cls) -> None:
        """Halve the rate, unless that was done a moment ago. One write, atomic."""
        now = time.time()
        grown: Any = cls.per_minute + (now - cls.changed_at) * RAISE / 60
        started: Any = Case(None, [(grown > FASTEST, FIRST)], grown)
        halved: Any = Case(None, [(started / 2 < SLOWEST, SLOWEST)], started / 2)
        first = cls.insert(id=ONLY, per_minute=FIRST / 2, changed_at=now, next_at=now + REST)
        slower = {cls.per_minute: halved, cls.changed_at: EXCLUDED.changed_at, cls.next_at: EXCLUDED.next_at}
        heeded = cls.changed_at <= now - HEEDED_EVERY
        first.on_conflict(conflict_target=(cls.id,), update=slower, where=heeded).execute()

    def take_turn(self) -> float:
        """Take the turn of one mail; returns 0, or in how many seconds there is one. One write, atomic."""
        cls, now = type(self), time.time()
        begins: Any = Case(None, [(cls.next_at > now - SAVED_UP, cls.next_at)], now - SAVED_UP)
        turn = cls.update(next_at=begins + 60 / self.rate).where(cls.id == ONLY, cls.next_at <= now)
        if turn.execute():
            return 0.0
        found = cls.get_or_none(cls.id == ONLY)
        return max(1.0, float(found.next_at) - now) if found else 0.0
