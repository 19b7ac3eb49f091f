"""Conversions of single values: what code gives, what people type, and what a row keeps. All raise ValueError."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, Flag
from math import isfinite
from typing import Any, Final, NoReturn, TypeAlias, TypeVar
from uuid import UUID, uuid4

from tasks.engine.errors import TaskError
from tasks.engine.models.sealed import sealed, sealed_text
from tasks.engine.parameters.secret import CannotUnseal, Secret, seal, unseal
from tasks.engine.uploads import Upload
from webapp.lib.json_types import Json

T = TypeVar("T")
Value: TypeAlias = Any  # type: ignore[explicit-any]  # of a parameter: the row of its type alone knows what it is

GONE: Final = "The secret of this task was deleted when it ended. Run it again from its form."
OTHER_KEY: Final = (
    "The secret of this task can’t be read, because the site’s secret key has changed. Run it again from its form."
)
MOST_DIGITS: Final = 100  # of a decimal: before its point, and behind it
DECIMAL: Final = rf"[+-]?[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DIGITS}}})?"
TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")
_NOT_MEANT: Final[dict[type, type]] = {int: bool, date: datetime, Enum: Flag}


@dataclass(frozen=True)
class Place:
    """Where arguments are kept: in the row of a task, and the files among them beside it."""

    task_id: UUID
    files: list[tuple[UUID, Upload]] = field(default_factory=list)


NOWHERE: Final = Place(UUID(int=0))  # for values that are neither files nor secrets


def instance(kind: type[T]) -> Callable[[object], T]:
    """Takes what is of this type, and meant: a bool is an int to Python, and a datetime is a date."""

    def take(value: object) -> T:
        if not isinstance(value, kind) or isinstance(value, _NOT_MEANT.get(kind, ())):
            raise ValueError(f"no {kind.__name__}")
        return value

    return take


def as_it_is(value: Value, _: Place | None = None) -> Value:
    """For what is JSON already."""
    return value


def not_typed(_: object, __: Place | None = None) -> NoReturn:
    """For what is chosen."""
    raise ValueError("nobody types that")


# Numbers


def take_float(value: object) -> float:
    """A finite number; a whole one will do, as it does in Python."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    try:
        number = float(value)
    except OverflowError as error:  # a whole number that no float can be
        raise ValueError("no number") from error
    if not isfinite(number):
        raise ValueError("no number")
    return number


def take_decimal(value: object) -> Decimal:
    """An exact number of bounded length; never a float."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("no exact number")
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number.adjusted() >= MOST_DIGITS or exponent < -MOST_DIGITS:
        raise ValueError("not finite, or too long")
    return number


def parse_decimal(text: str) -> Decimal:
    """Plain digits with a point."""
    if not re.fullmatch(DECIMAL, text.strip()):
        raise ValueError("no decimal")
    return Decimal(text.strip())


def decimal_text(value: Decimal) -> str:
    """Without a power of ten, and with the zeros at its end."""
    return f"{value:f}"


def parse_bool(text: str) -> bool:
    """Yes or no."""
    return {"yes": True, "no": False}[text] if text in {"yes", "no"} else not_typed(text)


# Times


def parse_date(text: str) -> date:
    """Like 2026-11-30."""
    return datetime.strptime(text.strip(), "%Y-%m-%d").date()


def take_time(value: object) -> time:
    """A time of day without a zone."""
    if not isinstance(value, time) or value.tzinfo:
        raise ValueError("no time of day")
    return value.replace(fold=0)


def parse_time(text: str) -> time:
    """Like 09:30, with seconds if there are any."""
    if not re.fullmatch(TIME, text.strip()):
        raise ValueError("no time of day")
    return time.fromisoformat(text.strip())


def time_text(value: time) -> str:
    """The same, as fields of browsers want it."""
    return value.isoformat() if value.second or value.microsecond else f"{value:%H:%M}"


def take_datetime(value: object) -> datetime:
    """A moment as naive UTC; one with a zone is converted."""
    if not isinstance(value, datetime):
        raise ValueError("no datetime")
    try:
        return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None, fold=0)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def parse_datetime(text: str) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    return take_datetime(datetime.fromisoformat(text.strip()))


# Files and secrets


def dump_file(file: Upload, place: Place) -> Json:
    """A file by its id and what people see of it; the file itself goes beside the row."""
    file_id = uuid4()
    place.files.append((file_id, file))
    return {"id": str(file_id), "name": file.name, "size": file.size}


def take_secret(value: object) -> Secret:
    """A secret, or the text of one."""
    return value if isinstance(value, Secret) else Secret(instance(str)(value))


def dump_secret(secret: Secret, place: Place) -> Json:
    """Encrypted for this task."""
    return sealed(seal(secret, place.task_id))


def load_secret(saved: Json, place: Place) -> Secret:
    """The secret again. Raises TaskError, in words, if it is gone or cannot be read."""
    if (text := sealed_text(saved)) is None:
        raise TaskError(GONE)
    try:
        return unseal(text, place.task_id)
    except CannotUnseal as error:
        raise TaskError(OTHER_KEY) from error


def content(value: object) -> str:
    """The characters of a text or a secret; of anything else none."""
    text = value.reveal() if isinstance(value, Secret) else value
    return text if isinstance(text, str) and not isinstance(text, Enum) else ""


def is_storable(text: str) -> bool:
    """Whether databases take a text: not with a NUL, nor with half a character, which JSON can spell."""
    return not _NOT_STORABLE.search(text)


def label_of(member: Enum) -> str:
    """A member of an Enum as people read it: what its `label` says, if it has one, otherwise its name."""
    label = getattr(member, "label", None)
    return label if isinstance(label, str) and label else member.name.replace("_", " ").capitalize()
