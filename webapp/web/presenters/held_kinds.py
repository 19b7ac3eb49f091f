"""What operators have decided of a kind, in words for whoever is about to start one of its tasks."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tasks.engine.models.kind_control import KindControl
from webapp.lib.i18n import duration, ngettext, number
from webapp.lib.times import clock_words, utcnow


def held_words(control: KindControl | None, zone: str) -> str:
    """What keeps such a task from starting at once, or may, and why: “All of these are paused until 14:00. The server
    gets a new disk. Yours will wait until then.” Empty where nothing is decided. No query."""
    if control is None:
        return ""
    if control.is_paused and control.paused_until:
        until = until_words(control.paused_until, zone, utcnow())
        why = f" {_sentence(control.reason)}" if control.reason else ""
        return f"All of these are paused until {until}.{why} Yours will wait until then."
    limits = ", ".join(_limits(control))
    return f"At most {limits}. Yours may have to wait." if limits else ""


def held_by_name(zone: str) -> dict[str, str]:
    """The same of all kinds of which anything is decided, by their names. One small query."""
    return {each.name: words for each in KindControl.all() if (words := held_words(each, zone))}


def until_words(until: datetime, zone: str, since: datetime | None = None) -> str:
    """When a pause ends, to the minute, by which it is over; without the day where that is the one of `since`."""
    return clock_words((until + timedelta(seconds=59)).replace(second=0, microsecond=0), zone, after=since)


def _limits(control: KindControl) -> Iterator[str]:
    running, of_each, pace = control.max_running, control.max_running_per_person, control.max_starts_per_second
    if running is not None:
        yield ngettext("%(num)s of these runs at once", "%(num)s of these run at once", running)
    if of_each is not None:
        at_once = "" if running else ngettext(" runs at once", " run at once", of_each)
        yield f"{number(of_each)} of each person’s{at_once}"
    if pace is not None:
        spaced = duration(max(1, round(1 / pace)))
        yield f"{number(round(pace))} start a second" if pace > 1 else f"one starts every {spaced}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
