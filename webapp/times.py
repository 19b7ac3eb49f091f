"""Times and durations: naive UTC inside, ISO 8601 with Z outside, plain words for people."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def utcnow() -> datetime:
    """The present moment as naive UTC, the form that every time in the database has."""
    return datetime.now(UTC).replace(tzinfo=None)


def iso(moment: datetime) -> str:
    """ISO 8601 with Z and whole seconds, like 2026-11-21T09:30:00Z."""
    return moment.isoformat(timespec="seconds") + "Z"


def local(moment: datetime, zone: str) -> datetime:
    """The same moment as an aware datetime in a time zone such as Europe/Berlin."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def clock_words(moment: datetime, zone: str, seconds: bool = False) -> str:
    """A moment as people write it, like '21 November 2026, 09:30', or with its seconds."""
    there = local(moment, zone)
    return f"{there.day} {there:%B %Y, %H:%M:%S}" if seconds else f"{there.day} {there:%B %Y, %H:%M}"


def day_words(moment: datetime, zone: str) -> str:
    """The day of a moment as people write it, like '28 November'."""
    there = local(moment, zone)
    return f"{there.day} {there:%B}"


def from_local(moment: datetime, zone: str) -> datetime:
    """What a clock on the wall of a time zone shows, as naive UTC."""
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


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


def ago_words(moment: datetime, now: datetime) -> str:
    """How long ago a moment was, like 'just now' or '3 minutes ago'; older than 30 days, its date."""
    age = now - moment
    if age < timedelta(seconds=45):
        return "just now"
    if age < timedelta(days=30):
        return f"{duration_words(max(60, age.total_seconds()))} ago"
    return f"on {moment.day} {moment:%B %Y}"


def _count(number: int, unit: str) -> str:
    number = max(1, number)
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
