"""Phrases: what the database keeps for people to read. An id with arguments, put into words when it is shown.

    CANCELED = phrase("task.canceled", "Canceled by you", others="Canceled by {owner}")
    GONE = phrase("import.gone", "{number} post is gone", plural="{number} posts are gone")

    GONE(number=3).words()                # '3 posts are gone'
    CANCELED().words(owner="ann")         # 'Canceled by ann'

So a row reads right in every language and for every reader. Ids are kept in rows for as long as these: they are never
given another meaning. What authors of tasks write stays a text.

A row keeps a phrase beside its words, `kept` and `read` say how: the text is what is searched, what the release before
reads and writes, and what is shown where the phrase is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from string import Formatter
from typing import Any, Final, TypeAlias
from zlib import crc32

from webapp.lib.i18n import LOCALE, duration, number, size

Argument: TypeAlias = "str | int | float | bool | Phrase | list[Argument] | None"
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_ID: Final = "phrase"  # the key by which a phrase is known in JSON
_OF: Final = "of"  # the checksum of the text beside it
_RESERVED: Final = frozenset({_ID, _OF})
_OWNER: Final = "owner"
_NUMBERS: Final[dict[str, Any]] = {"": number, "duration": duration, "size": size}
_LISTS: Final = {"": ", ", "then": ", then "}


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

    def __call__(self, **arguments: Argument) -> Phrase:
        """The phrase with these arguments."""
        return Phrase(self.id, arguments)


WORDINGS: dict[str, Wording] = {}


def phrase(id: str, owner: str, *, plural: str = "", others: str = "") -> Wording:
    """Declare a phrase by its words, a format string over its arguments: once, where it is used.

    `{rows}` puts a number as people read it, `{seconds:duration}` and `{bytes:size}` likewise; `{titles}` puts a list
    with commas, `{titles:then}` as what follows one another. Raises ValueError for an id that others words have, and
    for a format string that could not be put into words.
    """
    wording = Wording(id, owner, plural, others)
    if WORDINGS.setdefault(id, wording) != wording:
        raise ValueError(f"two phrases have the id {id}")
    return wording


@dataclass(frozen=True)
class Phrase:
    """A phrase with its arguments: JSON, or other phrases."""

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
            before if name is None else before + _put(owner if name == _OWNER else values[name], unit, owner)
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


def kept(words: Words, longest: int | None = None) -> tuple[str, dict[str, Json] | None]:
    """Words as a row keeps them: the text, cut to `longest` characters, and the phrase, or None for a text.

    What had to be cut is kept as the text alone, so a phrase takes no more room than its words by much.
    """
    text = str(words)
    if isinstance(words, str) or (longest is not None and len(text) > longest):
        return text[:longest], None
    return text, words.as_json()


def kept_changing(words: Words, longest: int | None = None) -> tuple[str, dict[str, Json] | None]:
    """The same for a row whose words change: with a checksum by which the two are known to belong together.

    The release before writes another text and leaves the phrase as it is.
    """
    text, json = kept(words, longest)
    return text, json and json | {_OF: checksum(text)}


def read(text: str, json: Any) -> Words:
    """What a row keeps: the phrase if it is that of its text, else the text."""
    if not isinstance(json, dict) or json.get(_OF) not in (None, checksum(text)):
        return text
    try:
        return Phrase.from_json(json)
    except KeyError:  # of a later release
        return text


def put_into_words(text: str, json: Any, owner: str = "") -> str:
    """What a row keeps, as its owner reads it; as others do where that owner's name is given."""
    words = read(text, json)
    try:
        return words if isinstance(words, str) else words.spelled(owner)
    except (LookupError, TypeError, ValueError):  # of a later release
        return text


def checksum(text: str) -> int:
    """By which a text is told from others."""
    return crc32(text.encode(errors="surrogatepass"))


@cache
def _pieces(words: str) -> tuple[tuple[str, str | None, str], ...]:
    """A format string as what it is made of: each time a text, what comes after it, and the unit of that.

    Raises ValueError for what names no argument, or names a unit that there is not.
    """
    pieces = tuple((before, name, unit or "") for before, name, unit, _ in Formatter().parse(words))
    for _, name, unit in pieces:
        if name is not None and (not name.isidentifier() or name in _RESERVED or unit not in _NUMBERS | _LISTS):
            raise ValueError(f"{words!r}: {{{name}}} cannot be put into words")
    return pieces


def _is_many(count: Argument) -> bool:
    return isinstance(count, int | float) and LOCALE.plural_form(count) != "one"


def _put(value: Argument, unit: str, owner: str) -> str:
    """One argument, by its kind or by the unit that the words name."""
    if isinstance(value, str):
        return value
    if isinstance(value, Phrase):
        return value.spelled(owner)
    if isinstance(value, list):
        return _LISTS.get(unit, _LISTS[""]).join(_put(each, unit, owner) for each in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(_NUMBERS.get(unit, number)(value))
    return str(value)


def _as_json(value: Argument) -> Json:
    if isinstance(value, Phrase):
        return value.as_json()
    return [_as_json(each) for each in value] if isinstance(value, list) else value


def _read(value: Json) -> Argument:
    if isinstance(value, dict):
        return Phrase.from_json(value)
    return [_read(each) for each in value] if isinstance(value, list) else value
