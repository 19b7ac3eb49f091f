"""When what happens in this world happened: each thing at its moment, and all of them in their order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random


@dataclass(frozen=True)
class Happening:
    """Something that somebody did at a moment of the past; `happen` does it now."""

    at: datetime
    happen: Callable[[], object]


def whole_minute(at: datetime) -> datetime:
    """The minute that a moment is in: nobody schedules seconds."""
    return at.replace(second=0, microsecond=0)


def moment(now: datetime, days: float) -> datetime:
    """A moment so many days ago: as early or late as people are awake, unless it is less than a day ago."""
    at = now - timedelta(days=days)
    if days < 1:
        return at
    random = Random(str(days))  # noqa: S311 - no secret
    return at.replace(hour=random.randrange(7, 21), minute=random.randrange(60), second=random.randrange(60))
