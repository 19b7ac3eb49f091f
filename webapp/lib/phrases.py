"""Phrases: what the database keeps for people to read. An id with arguments, put into words when it is shown.

    CANCELED = phrase("task.canceled", "Canceled by you", others="Canceled by {owner}")
    GONE = phrase("import.gone", "{number} post is gone", plural="{number} posts are gone")

    GONE(number=3).words()                # '3 posts are gone'
    CANCELED().words(owner="ann")         # 'Canceled by ann'

So a row reads right in every language and for every reader. Ids are kept in rows for as long as these: they are never
given another meaning, nor other arguments. Authors of tasks may write texts, which are shown as they are.

How a row keeps one beside its words is in `kept_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from math import isfinite
from string import Formatter
from typing import Final, TypeAlias

from webapp.lib.i18n import LOCALE, duration, estimate, number, size
from webapp.lib.json_types import Json

Argument: TypeAlias = "str | int | float | bool | Phrase | list[Argument] | None"

_ID: Final = "phrase"  # the key by which a phrase is known in JSON
CHECKSUM: Final = "of"  # the checksum of the text beside it
_RESERVED: Final = frozenset({_ID, CHECKSUM})
_OWNER: Final = "owner"
_NUMBERS: Final[dict[str, Callable[[float], str]]] = {
    "": number,
    "duration": duration,
    "estimate": estimate,
    "size": size,
}
_SENTENCE: Final = "sentence"
_LISTS: Final = {"": ", ", "then": ", then "}
_UNITS: Final = {*_NUMBERS, *_LISTS, _SENTENCE}


@dataclass(frozen=True)
class Wording:
    """How a phrase reads: to the owner of what it is about, and to `others`; `plural` where its {number} is not one."""

    id: str
    owner: str
    plural: str = ""
    others: str = ""

    def __post_init__(self) -> None:
        for words in (self.owner, self.plural, self.others):
            _pieces(words)

    def __call__(self, /, **arguments: Argument) -> Phrase:
        """The phrase with these arguments. Raises TypeError where its words need another."""
        if missing := self._needed - arguments.keys():
            raise TypeError(f"the phrase {self.id} needs {', '.join(sorted(missing))}")
        return Phrase(self.id, arguments)

    @cached_property
    def _needed(self) -> set[str]:
        named = {name for words in (self.owner, self.plural, self.others) for _, name, _ in _pieces(words) if name}
        return named - {_OWNER}


WORDINGS: dict[str, Wording] = {}


def phrase(id: str, owner: str, *, plural: str = "", others: str = "") -> Wording:
    """Declare a phrase by its words, a format string over its arguments: once, where it is used.

    `{rows}` puts a number as people read it, and `{seconds:duration}`, `{seconds:estimate}` and `{bytes:size}`
    likewise; `{titles}` puts a list with commas, `{titles:then}` as what follows one another; `{reason:sentence}`
    begins with a capital. Raises
    ValueError for a format string that could not be put into words, and for an id that other words have.
    """
    wording = Wording(id, owner, plural, others)
    if WORDINGS.setdefault(id, wording) != wording:
        raise ValueError(f"two phrases have the id {id}")
    return wording


@dataclass(frozen=True)
class Phrase:
    """A phrase with its arguments: JSON, other phrases, or what is kept as its text, like an uploaded file."""

    id: str
    arguments: Mapping[str, Argument] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.words()

    def words(self, owner: str = "") -> str:
        """As the owner of what it is about reads it; as others do where that owner's name is given.

        A phrase that this release cannot put into words is shown as its id.
        """
        try:
            return self.spelled(owner)
        except LookupError:
            return self.id

    def spelled(self, owner: str = "") -> str:
        """The same. Raises LookupError where this release does not know its id, or where an argument is missing."""
        wording, values = WORDINGS[self.id], self.arguments
        if owner and wording.others:
            chosen = wording.others
        else:
            chosen = wording.plural if wording.plural and _is_many(values.get("number", 1)) else wording.owner
        return "".join(
            before if name is None else before + _put(_value(values, name, owner), unit, owner)
            for before, name, unit in _pieces(chosen)
        )

    def as_json(self) -> dict[str, Json]:
        """As a row keeps it."""
        return {_ID: self.id, **{name: _as_json(value) for name, value in self.arguments.items()}}

    @classmethod
    def from_json(cls, kept: Mapping[str, Json]) -> Phrase:
        """As a row has kept it. Raises KeyError for what is no phrase."""
        return cls(str(kept[_ID]), {name: _read(value) for name, value in kept.items() if name not in _RESERVED})


Words: TypeAlias = str | Phrase  # a text of an author's, or a phrase of ours


@cache
def _pieces(words: str) -> tuple[tuple[str, str | None, str], ...]:
    """A format string as what it is made of: each time a text, what comes after it, and the unit of that.

    Raises ValueError for what names no argument, or names a unit that there is not.
    """
    pieces = tuple((before, name, unit or "") for before, name, unit, _ in Formatter().parse(words))
    for _, name, unit in pieces:
        if name is not None and (not name.isidentifier() or name in _RESERVED or unit not in _UNITS):
            raise ValueError(f"{words!r}: {{{name}}} is no argument, or has a unit that there is not")
    return pieces


def _is_many(count: Argument) -> bool:
    return isinstance(count, int | float) and LOCALE.plural_form(count) != "one"


def _value(values: Mapping[str, Argument], name: str, owner: str) -> Argument:
    return owner if name == _OWNER and name not in values else values[name]


def _put(value: Argument, unit: str, owner: str) -> str:
    """One argument, by its kind or by the unit that the words name."""
    if isinstance(value, list):
        return _LISTS.get(unit, _LISTS[""]).join(_put(each, unit, owner) for each in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(_NUMBERS.get(unit, number)(value))
    text = value.spelled(owner) if isinstance(value, Phrase) else str(value)
    return text[:1].upper() + text[1:] if unit == _SENTENCE else text


def _as_json(value: object) -> Json:
    if isinstance(value, Phrase):
        return value.as_json()
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | None) else str(value)  # an uploaded file by its name, a date


def _read(value: Json) -> Argument:
    if isinstance(value, dict):
        return Phrase.from_json(value)
    return [_read(each) for each in value] if isinstance(value, list) else value
