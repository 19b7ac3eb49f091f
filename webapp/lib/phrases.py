"""Phrases: what the database keeps for people to read. An id with arguments, put into words when it is shown.

    CANCELED = phrase("task.canceled", "Canceled by you", others="Canceled by {owner}")
    GONE = phrase("import.gone", "{number} post is gone", plural="{number} posts are gone")

    event.phrase = GONE(number=3).as_json()
    Phrase.from_json(event.phrase).words()  # '3 posts are gone'

So a row reads right in every language and for every reader. Ids are kept in rows for as long as these: they are never
given another meaning, nor other arguments. Authors of tasks may write texts, which are shown as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from string import Formatter
from typing import Any, Final, TypeAlias

from webapp.lib.i18n import LOCALE, duration, number, size

Argument: TypeAlias = "str | int | float | bool | Phrase | list[Argument] | None"
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_ID: Final = "phrase"  # the key by which a phrase is known in JSON
_SENTENCE: Final = "sentence"
_UNITS: dict[str, Callable[[Any], str]] = {"": number, "duration": duration, "size": size}


@dataclass(frozen=True)
class Wording:
    """How a phrase reads: to the owner of what it is about, and to `others`; `plural` where its {number} is not one."""

    id: str
    owner: str
    plural: str = ""
    others: str = ""

    def __call__(self, /, **arguments: Argument) -> Phrase:
        """The phrase with these arguments. Raises TypeError where its words need another."""
        if missing := self._needed - arguments.keys():
            raise TypeError(f"the phrase {self.id} needs {', '.join(sorted(missing))}")
        return Phrase(self.id, arguments)

    @cached_property
    def _needed(self) -> set[str]:
        return {name for words in (self.owner, self.plural, self.others) for name, _ in _fields(words)} - {"owner"}


WORDINGS: dict[str, Wording] = {}


def phrase(id: str, owner: str, *, plural: str = "", others: str = "") -> Wording:
    """Declare a phrase by its words, a format string over its arguments: once, where it is used.

    `{rows}` puts a number as people read it, `{seconds:duration}` and `{bytes:size}` likewise; `{reason:sentence}`
    begins with a capital. Raises ValueError for words that cannot be read so, and for an id that other words have.
    """
    wording = Wording(id, owner, plural, others)
    known = {*_UNITS, _SENTENCE}
    if unknown := [unit for words in (owner, plural, others) for _, unit in _fields(words) if unit not in known]:
        raise ValueError(f"the phrase {id} has the unit {unknown[0]}, which there is not")
    if WORDINGS.setdefault(id, wording) != wording:
        raise ValueError(f"two phrases have the id {id}")
    return wording


@dataclass(frozen=True)
class Phrase:
    """A phrase with its arguments: JSON, other phrases, or what is kept as its text, like an uploaded file."""

    id: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.words()

    def words(self, owner: str = "") -> str:
        """As the owner of what it is about reads it; as others do where that owner's name is given.

        An id that this release does not know is shown as it is.
        """
        wording = WORDINGS.get(self.id)
        if wording is None:
            return self.id
        count = self.arguments.get("number", 1)
        is_one = not isinstance(count, int | float) or LOCALE.plural_form(count) == "one"
        chosen = (owner and wording.others) or (wording.owner if is_one or not wording.plural else wording.plural)
        return _Words(owner).vformat(chosen, (), {"owner": owner, **self.arguments})

    def as_json(self) -> dict[str, Json]:
        """As a row keeps it."""
        return {_ID: self.id, **{name: _as_json(value) for name, value in self.arguments.items()}}

    @classmethod
    def from_json(cls, kept: Mapping[str, Json]) -> Phrase:
        """As a row has kept it. Raises KeyError for what is no phrase."""
        return cls(str(kept[_ID]), {name: _read(value) for name, value in kept.items() if name != _ID})


class _Words(Formatter):
    """Puts the arguments of a phrase into its words, for the same reader."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def format_field(self, value: object, spec: str) -> str:
        """One argument, by its kind or by the unit that the words name."""
        if isinstance(value, list):
            return ", ".join(self.format_field(each, spec) for each in value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _UNITS.get(spec, number)(value)
        text = value.words(self._owner) if isinstance(value, Phrase) else str(value)
        return text[:1].upper() + text[1:] if spec == _SENTENCE else text


def _fields(words: str) -> Iterator[tuple[str, str]]:
    """The arguments that words name, each with its unit. Raises ValueError for a brace that stands alone."""
    for _, name, unit, _ in Formatter().parse(words):
        if name is not None:
            yield name, unit or ""


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
