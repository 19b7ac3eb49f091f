"""Plurals, numbers, sizes, durations and dates as people read them: the one place where English is taken for granted.

Babel knows the rules of every language (CLDR), so that a second language needs a catalog and no other code. Flask-Babel
is not used: models and workers need words, too, where there is no request.

What comes out has plain spaces alone, which every font, log and mail shows, though CLDR has narrow and hard ones, too.
Polls ask for the same numbers over and over, so the latest answers are kept.
"""

from datetime import datetime
from decimal import localcontext
from functools import lru_cache

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal
from babel.units import format_unit

LOCALE = Locale("en", "US")
DAY, DATE, CLOCK, CLOCK_WITH_SECONDS = "d MMMM", "d MMMM y", "HH:mm", "HH:mm:ss"  # patterns of CLDR, for `written`

# Babel raises for a number with more digits than decimals may have, which is 28 by themselves. Python reads and writes
# none with more than 4,300.
MOST_DIGITS = 5000
_SPACES = str.maketrans("\u00a0\u202f", "  ")
_SET_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))
_DIGITS = "#,##0.######"  # a fraction of a second that somebody has set is not rounded


def ngettext(singular: str, plural: str, n: int, **values: object) -> str:
    """A whole sentence about `n` things, like `ngettext("%(num)s post", "%(num)s posts", n)`: '1 post', '1,200 posts'.

    `%(num)s` is the number, and every other value stands by its name. A percent sign is written twice.
    """
    chosen = singular if LOCALE.plural_form(n) == "one" else plural
    return chosen % {"num": number(n), **values}


@lru_cache(4096)
def number(value: float) -> str:
    """A number with its thousands apart, like '12,345', and with all digits of its fraction."""
    with localcontext(prec=MOST_DIGITS):
        return _plain(format_decimal(value, locale=LOCALE, decimal_quantization=False))


def duration(seconds: float) -> str:
    """A duration that somebody has set, like '90 seconds', '10 minutes' or '2 hours': exact, in its largest unit."""
    for unit, size in _SET_UNITS:
        if seconds and seconds % size == 0:
            return _measured(seconds // size, f"duration-{unit}", "long", _DIGITS)
    return _measured(seconds, "duration-second", "long", _DIGITS)


def estimate(seconds: float) -> str:
    """A duration in words, rounded as people would: 'a few seconds', '40 seconds', '3 minutes', '2 hours'.

    Never more exact than an estimate deserves: past 50 minutes it counts in hours, past 36 hours in days. Babel's
    `format_timedelta` would change units at the same fraction of each, and never says 'a few'.
    """
    if seconds < 5:
        return "a few seconds"
    if seconds < 55:
        return _measured(round(seconds / 5) * 5, "duration-second", "long")
    if seconds < 50 * 60:
        return _measured(round(seconds / 60), "duration-minute", "long")
    if seconds < 36 * 3600:
        return _measured(round(seconds / 3600), "duration-hour", "long")
    return _measured(round(seconds / 86400), "duration-day", "long")


def size(number_of_bytes: float) -> str:
    """So many bytes as people read them, like '800 bytes', '1.2 kB' or '10.0 MB'."""
    if number_of_bytes < 1000:
        return _measured(number_of_bytes, "digital-byte", "long")
    amount = number_of_bytes / 1000
    for unit in ("kilobyte", "megabyte"):
        if amount < 999.95:
            return _measured(amount, f"digital-{unit}", "short", "#,##0.0")
        amount /= 1000
    return _measured(amount, "digital-gigabyte", "short", "#,##0.0")


def written(moment: datetime, pattern: str) -> str:
    """An aware datetime by its own clock, in the month names of the language and not of the process, by a pattern."""
    return _plain(format_datetime(moment, pattern, locale=LOCALE))


@lru_cache(1024)
def _measured(value: float, unit: str, length: str, digits: str | None = None) -> str:
    with localcontext(prec=MOST_DIGITS):
        return _plain(format_unit(value, unit, length, digits, locale=LOCALE))  # type: ignore[arg-type]


def _plain(text: str) -> str:
    return text.translate(_SPACES)
