"""RateCount: how often something was done lately, counted for all processes of the site."""

import math
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from peewee import EXCLUDED, Case, CharField, DoubleField, IntegerField

from webapp.db import BaseModel, Param, compiled, locking, params_of

SWEPT = 5  # old rows that each new one takes along, so that they never become many


class Limit(NamedTuple):
    """At most so many times in so many seconds."""

    most: int
    seconds: int


class TooMany(Exception):
    """More than a `limit` allows; it counts anew in `seconds_left`."""

    def __init__(self, limit: Limit, seconds_left: int) -> None:
        super().__init__(f"more than {limit.most} in {limit.seconds} s")
        self.limit, self.seconds_left = limit, seconds_left


class RateCount(BaseModel):
    """A number that is forgotten once its window has passed. Keys are digests: nothing that people type is stored."""

    key = CharField(primary_key=True, max_length=32)
    number = IntegerField()
    # Double, since to PostgreSQL a float has 24 bits: of so many seconds it knows two minutes at best.
    until = DoubleField(index=True, help_text="seconds since 1970")

    @property
    def seconds_left(self) -> int:
        """How long until it is forgotten, rounded up."""
        return max(1, math.ceil(self.until - time.time()))

    @classmethod
    def add(cls, name: str, seconds: float, amount: int = 1) -> int:
        """Count for a window of so many seconds, which the first one begins; returns the number. One write, atomic."""
        return cls.add_and_see(name, seconds, amount)[0]

    @classmethod
    def add_and_see(cls, name: str, seconds: float, amount: int = 1) -> tuple[int, float]:
        """The same, and until when that counts, in seconds since 1970."""
        now = time.time()
        [[number, until]] = _count.execute(key=_digest(name), number=amount, until=now + seconds, now=now).fetchall()
        if number == amount:
            old = cls.select(cls.key).where(cls.until < now).limit(SWEPT)
            cls.delete().where(cls.key.in_(locking(old, skip_locked=True))).execute()
        return int(number), float(until)

    @classmethod
    def count(cls, limits: Sequence[Limit], *who: str) -> list[str]:
        """Count by each of these limits, with one write; returns the names that this was counted by.

        Raises TooMany beyond a limit, and then counts by none that comes after it.
        """
        names = ["/".join((*who, str(limit.seconds))) for limit in limits]
        for limit, name in zip(limits, names, strict=True):
            if cls.add(name, limit.seconds) > limit.most:
                found = cls.find(name)
                raise TooMany(limit, found.seconds_left if found else 1)
        return names

    @classmethod
    def take_back(cls, names: list[str]) -> None:
        """Take back what was counted once by each of these names, of which none is left in the list."""
        while names:
            cls.add(names.pop(), 1, -1)

    @classmethod
    def find(cls, name: str) -> "RateCount | None":
        """What was counted in the present window, or None. One query."""
        return cls.get_or_none(cls.key == _digest(name), cls.until > time.time())

    @classmethod
    def find_all(cls, names: Sequence[str]) -> dict[str, int]:
        """How much was counted by each of these names in the present window, where anything was. One query."""
        by_key = {_digest(name): name for name in names}
        found = cls.select(cls.key, cls.number).where(cls.key.in_(list(by_key)), cls.until > time.time())
        return {by_key[row.key]: row.number for row in found}

    @classmethod
    def forget(cls, name: str) -> None:
        """Count anew."""
        cls.delete().where(cls.key == _digest(name)).execute()


@compiled
def _count() -> Any:
    goes_on = RateCount.until > Param("now")
    number = Case(None, [(goes_on, RateCount.number + EXCLUDED.number)], EXCLUDED.number)
    until = Case(None, [(goes_on, RateCount.until)], EXCLUDED.until)
    row = RateCount.insert(params_of(RateCount.key, RateCount.number, RateCount.until))
    counted = row.on_conflict(
        conflict_target=(RateCount.key,), update={RateCount.number: number, RateCount.until: until}
    )
    return counted.returning(RateCount.number, RateCount.until)


def _digest(name: str) -> str:
    return blake2b(name.encode(errors="replace"), digest_size=16).hexdigest()
