"""Times: naive UTC inside, ISO 8601 with Z outside, plain words for people. Durations are in `i18n`."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from webapp.lib.i18n import CLOCK, CLOCK_WITH_SECONDS, DATE, DAY, written


def utcnow() -> datetime:
    """The present moment as naive UTC, the form that every time in the database has."""
    return datetime.now(UTC).replace(tzinfo=None)


def present_second() -> str:
    """The present moment without its fraction of a second, spelled as both databases take it to compare with a time.

    It costs a fifth of what `utcnow` does, and of what the databases' drivers take to spell that.
    """
    return _second(int(time.time()))


@lru_cache(2)
def _second(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970, UTC).replace(tzinfo=None).isoformat(" ")


def iso(moment: datetime) -> str:
    """ISO 8601 with Z and whole seconds, like 2026-11-21T09:30:00Z."""
    return moment.isoformat(timespec="seconds") + "Z"


def exact_iso(moment: datetime) -> str:
    """ISO 8601 with Z and all that is known of the second, like 2026-11-21T09:30:00.123456Z; no zeros for nothing."""
    return moment.isoformat() + "Z"


def local(moment: datetime, zone: str) -> datetime:
    """The same moment as an aware datetime in a time zone such as Europe/Berlin."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


@lru_cache(4096)
def clock_words(moment: datetime, zone: str, seconds: bool = False, after: datetime | None = None) -> str:
    """A moment as people write it, like '21 November 2026, 09:30', or with its seconds; '09:30' where it is told with
    a moment `after` which it comes on the same day. Without a zone, '21 November 2026, 09:30 UTC'.

    In the hour that comes twice, when clocks go back, it says which: '31 October 2027, 02:30 (UTC+1)'. The latest are
    kept: lists show the same moments over and over.
    """
    there = local(moment, zone or "UTC")
    clock = CLOCK_WITH_SECONDS if seconds else CLOCK
    is_same_day = after is not None and local(after, zone or "UTC").date() == there.date()
    words = written(there, clock if is_same_day else f"{DATE}, {clock}")
    if not zone:
        return f"{words} UTC"
    return f"{words} ({offset_words(there)})" if clocks_change(there, zone) < timedelta(0) else words


def day_words(moment: datetime, zone: str) -> str:
    """The day of a moment as people write it, like '28 November'."""
    return written(local(moment, zone), DAY)


def offset_words(there: datetime) -> str:
    """How far an aware datetime is from UTC, like 'UTC+2', 'UTC-3:30' or 'UTC'."""
    minutes = round((there.utcoffset() or timedelta(0)).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"


def from_local(moment: datetime, zone: str, again: bool = False) -> datetime:
    """What a clock on the wall of a time zone shows, as naive UTC; what it shows twice, the first time or `again`.

    What it never shows, because clocks go forward over it, is as much later as they go. Raises OverflowError where in
    UTC that would be before the first day of the calendar, or after its last.
    """
    return moment.replace(tzinfo=ZoneInfo(zone), fold=int(again)).astimezone(UTC).replace(tzinfo=None)


def clocks_change(moment: datetime, zone: str) -> timedelta:
    """By how much the clocks of a time zone go on over what they show: negative if that comes twice, positive if never.

    Zero for almost all moments.
    """
    first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1))
    return (second or timedelta(0)) - (first or timedelta(0))
