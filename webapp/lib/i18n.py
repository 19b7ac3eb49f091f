"""Plurals, numbers and durations as people read them: the one place where English is taken for granted.

Babel knows the rules of every language (CLDR), so that a second language needs a catalog and no other code. Flask-Babel
is not used: models and workers need words, too, where there is no request.
"""

from datetime import timedelta
from typing import Literal

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal

LOCALE = Locale("en", "US")


def ngettext(singular: str, plural: str, n: int, **values: object) -> str:
    """A whole sentence about `n` things, like `ngettext("%(num)s post", "%(num)s posts", n)`: '1 post', '1,200 posts'.

    `%(num)s` is the number, and every other value stands by its name. A percent sign is written twice.
    """
    chosen = singular if LOCALE.plural_form(n) == "one" else plural
    return chosen % {"num": number(n), **values}


def number(value: float) -> str:
    """A number with its thousands apart, like '12,345'."""
    return format_decimal(value, locale=LOCALE)


def duration(seconds: float) -> str:
    """A duration that somebody has set, like '90 seconds', '10 minutes' or '2 hours', in its largest whole unit."""
    unit = next((name for name, size in _UNITS if seconds >= size and seconds % size == 0), _SECOND)
    whole = timedelta(seconds=seconds)
    return format_timedelta(whole, granularity=unit, threshold=float("inf"), locale=LOCALE)


_Unit = Literal["day", "hour", "minute", "second"]
_SECOND: _Unit = "second"
_UNITS: tuple[tuple[_Unit, int], ...] = (("day", 86400), ("hour", 3600), ("minute", 60))
