"""Values of JSON that programs send: what each is to a task function. All raise ValueError, for what the schema of
their type refuses as well."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

from tasks.engine.parameters.conversions import DECIMAL, TIME, instance, take_datetime
from webapp.lib.json_types import Json

MOST_DIGITS: Final = 4300  # of a whole number: Python reads no longer one, and writes none either
_BEYOND: Final = 10**MOST_DIGITS
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ZONE: Final = r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_DATETIME: Final = rf"{_DATE}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?{_ZONE}"


def whole_number(given: Json) -> int:
    """A whole number however it is written: 5.0 and 5e0 are 5 to JSON Schema, and to most programs."""
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    number = instance(int)(given)
    if not -_BEYOND < number < _BEYOND:
        raise ValueError("too long")
    return number


def decimal(given: Json) -> Decimal:
    """A text like "12.50": a number of JSON would be a float to most programs."""
    return Decimal(_spelled(DECIMAL, given))


def day(given: Json) -> date:
    """Like 2026-11-30."""
    return date.fromisoformat(_spelled(_DATE, given))


def time_of_day(given: Json) -> time:
    """Like 09:30, with seconds if there are any."""
    return time.fromisoformat(_spelled(TIME, given))


def moment(given: Json) -> datetime:
    """A moment of RFC 3339 as naive UTC. It is never without its zone, so that nobody has to guess which was meant."""
    return take_datetime(datetime.fromisoformat(_spelled(_DATETIME, given).upper()))


def same(given: Json, value: Json) -> bool:
    """Whether two texts, numbers or booleans are one value of JSON: 1.0 is 1, and true is not."""
    return isinstance(given, bool) is isinstance(value, bool) and given == value


def _spelled(pattern: str, given: Json) -> str:
    text = instance(str)(given)
    if not re.fullmatch(pattern, text):
        raise ValueError("spelled otherwise")
    return text
