"""When things happened in the demo world."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random


@dataclass(frozen=True)
class Event:
    """Something that happened at a moment of the past; `run` does it now."""

    at: datetime
    run: Callable[[], object]


def whole_minute(at: datetime) -> datetime:
    """The moment without its seconds: people schedule whole minutes."""
    return at.replace(second=0, microsecond=0)


def days_ago(now: datetime, days: float) -> datetime:
    """A moment that many days ago, at an hour when people are awake unless it is less than a day ago."""
    at = now - timedelta(days=days)
    if days < 1:
        return at
    random = Random(str(days))  # noqa: S311 - no secret
    return at.replace(hour=random.randrange(7, 21), minute=random.randrange(60), second=random.randrange(60))
