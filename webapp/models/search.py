"""Search: rows by the words in their text, however the database finds them, and where in the text the words are."""

import re
from typing import TYPE_CHECKING, Any
from unicodedata import combining, normalize

from peewee import SQL, Database, Expression, NodeList, PostgresqlDatabase

from webapp import fulltext
from webapp.database import database
from webapp.marks import stream_safe

if TYPE_CHECKING:
    from peewee import ModelSelect

SEARCH_LENGTH = 200
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")


def words_in(text: str) -> list[str]:
    """The words of a text, each once: letters and digits of any script. Nothing in them means anything to a database.

    What is longer than SEARCH_LENGTH is cut off.
    """
    return list(dict.fromkeys(_WORD.findall(normalize("NFC", text[:SEARCH_LENGTH]))))


def matching(query: "ModelSelect[Any]", text: str) -> "ModelSelect[Any]":
    """Those rows of a query whose `body` has, for each word of a text, one that begins with it.

    Case does not count, nor do accents, where the database can tell. Without an index each word is looked for as it
    stands, also within others: so is a text without any letter or digit, and any text where SQLite has no FTS5. The
    query must be one of a model that webapp.fulltext names.
    """
    words, model = words_in(text), query.model
    if not words:
        return query.where(_like(model, [text.strip()[:SEARCH_LENGTH].replace("\0", "")]))
    return query.where(_condition(database.obj, model, text, words))


def all_of(conditions: list[Any]) -> NodeList:
    """That all of them hold, side by side: SQLite's parser stops at a hundred in one another, as `&` makes them."""
    return NodeList(conditions, glue=" AND ", parens=True)


def pieces(text: str, sought: str) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is what was sought; together they are the text."""
    if not (beginnings := tuple(_fold(word) for word in words_in(sought))):
        places = re.finditer(re.escape(sought.strip() or "\0"), text)
    else:
        places = (place for place in _WORD.finditer(text) if _fold(place[0]).startswith(beginnings))
    found, end = [], 0
    for place in places:
        found += [(text[end : place.start()], False), (place[0], True)]
        end = place.end()
    return [piece for piece in [*found, (text[end:], False)] if piece[0]]


def excerpt(text: str, sought: str, length: int = 160) -> str:
    """At most so many characters of a text, with the first of what was sought in them."""
    before = next(iter(pieces(text, sought)), ("", True))
    start = 0 if before[1] or len(text) <= length else max(0, len(before[0]) - length // 3)
    start = min(start, max(0, len(text) - length))
    return ("…" if start else "") + text[start : start + length].strip() + ("…" if start + length < len(text) else "")


def _condition(db: Database, model: Any, text: str, words: list[str]) -> Any:
    if isinstance(db, PostgresqlDatabase):
        beginnings = fulltext.words_of(text[:SEARCH_LENGTH].replace("\0", ""))
        return Expression(fulltext.vector_of(model.body), "@@", beginnings)
    if fulltext.has_fts5():
        table = f"{model._meta.table_name}_search"
        sought = " ".join(f'"{word}"*' for word in words)
        return model.id.in_(SQL(f"(SELECT rowid FROM {table} WHERE {table} MATCH ?)", [sought]))  # noqa: S608
    return _like(model, words)


def _like(model: Any, words: list[str]) -> Any:
    return all_of([model.body.contains(word) for word in words])


def _fold(word: str) -> str:
    """A word as databases compare it, or nearly."""
    return "".join(c for c in normalize("NFD", stream_safe(word.lower())) if not combining(c))
