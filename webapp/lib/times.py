"""Times and durations: naive UTC inside, ISO 8601 with Z outside, plain words for people."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def utcnow() -> datetime:
    """The present moment as naive UTC, the form that every time in the database has."""
    return datetime.now(UTC).replace(tzinfo=None)


def iso(moment: datetime) -> str:
    """ISO 8601 with Z and whole seconds, like 2026-11-21T09:30:00Z."""
    return moment.isoformat(timespec="seconds") + "Z"


def exact_iso(moment: datetime) -> str:
    """ISO 8601 with Z and all that is known of the second, like 2026-11-21T09:30:00.123456Z; no zeros for nothing."""
    return moment.isoformat() + "Z"


def local(moment: datetime, zone: str) -> datetime:
    """The same moment as an aware datetime in a time zone such as Europe/Berlin."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def clock_words(moment: datetime, zone: str, seconds: bool = False, after: datetime | None = None) -> str:
    """A moment as people write it, like '21 November 2026, 09:30', or with its seconds; '09:30' where it is told with
    a moment `after` which it comes on the same day. Without a zone, '21 November 2026, 09:30 UTC'.

    In the hour that comes twice, when clocks go back, it says which: '31 October 2027, 02:30 (UTC+1)'.
    """
    there = local(moment, zone or "UTC")
    words = f"{there:%H:%M:%S}" if seconds else f"{there:%H:%M}"
    if after is None or local(after, zone or "UTC").date() != there.date():
        words = f"{there.day} {there:%B %Y}, {words}"
    if not zone:
        return f"{words} UTC"
    return f"{words} ({offset_words(there)})" if clocks_change(there, zone) < timedelta(0) else words


def day_words(moment: datetime, zone: str) -> str:
    """The day of a moment as people write it, like '28 November'."""
    there = local(moment, zone)
    return f"{there.day} {there:%B}"


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


def duration_words(seconds: float) -> str:
    """A duration in words, rounded as people would: 'a few seconds', '40 seconds', '3 minutes', '2 hours'.

    Never more exact than an estimate deserves: past 50 minutes it counts in hours, past 36 hours in days.
    """
    if seconds < 5:
        return "a few seconds"
    if seconds < 55:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    if seconds < 50 * 60:
        return _count(round(seconds / 60), "minute")
    if seconds < 36 * 3600:
        return _count(round(seconds / 3600), "hour")
    return _count(round(seconds / 86400), "day")


def exact_words(seconds: float) -> str:
    """A duration that somebody has set, like '90 seconds' or '10 minutes'."""
    if seconds >= 60 and seconds % 60 == 0:
        return _count(int(seconds // 60), "minute")
    return "1 second" if seconds == 1 else f"{seconds:g} seconds"


def _count(number: int, unit: str) -> str:
    number = max(1, number)
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
