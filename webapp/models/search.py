"""Search: rows by the words in their text, on every database, in a bounded time."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from peewee import NodeList, OperationalError, PostgresqlDatabase, TextField

from webapp.db import BaseModel, database, fulltext
from webapp.lib.tokenization import Term, query_terms, terms_of
from webapp.models import searched_rows
from webapp.models.search_indexes import in_fts5, in_gin
from webapp.models.search_places import search_places
from webapp.models.searched_rows import ALL, Hits, Place, SearchedRows

if TYPE_CHECKING:
    from webapp.models.user import User

TIMEOUT = 2.0  # seconds that a search may take; web threads are few
STEPS = 10_000  # instructions of SQLite's between two looks at the clock
# There is an index, so reading the whole table is never better; and a plan is that of one query, whose words are known.
_PLANNING = {"enable_seqscan": "off", "plan_cache_mode": "force_custom_plan"}


class SearchTooSlow(Exception):
    """A search took longer than TIMEOUT, and was canceled."""


class Searched(BaseModel):
    """A table whose `body` is searched; a write of a body also writes its terms. It is one of fulltext.INDEXED."""

    body = TextField()
    terms = TextField(null=True, help_text="what the body is found by; null in rows of the release before this")

    @classmethod
    def insert(cls, data: Any = None, /, **values: Any) -> Any:
        """Peewee's, with the terms."""
        return super().insert(_with_terms({**(data or {}), **values}))

    @classmethod
    def insert_many(cls, rows: Iterable[Any], fields: Any = None) -> Any:
        """Peewee's, with the terms."""
        named = (dict(zip(fields, row, strict=True)) if fields else row for row in rows)
        return super().insert_many([_with_terms(row) for row in named])

    @classmethod
    def update(cls, data: Any = None, /, **values: Any) -> Any:
        """Peewee's, with the terms if the body is written."""
        return super().update(_with_terms({**(data or {}), **values}))


def newest(
    model: type[Searched],
    text: str,
    limit: int,
    owner: "User | None" = None,
    after: Place | None = None,
    reader: "User | None" = None,
) -> Hits:
    """The newest rows that match a query, of everyone or of one owner, at most `limit`.

    A row matches if each word of the query is the beginning of one of its words. In scripts without spaces, two
    neighboring letters match anywhere; a query without words matches by its signs. With `after`, only rows older than
    that place count, and with a `reader` only posts of people whom that person does not block. If several words are all
    common, the search ends after the newest SEARCHED rows.

    A few queries. Raises SearchTooSlow after TIMEOUT, and TooManySearches if too many threads search already.
    """
    if not (terms := query_terms(text)):
        return Hits([])
    with search_places.place(), _deadline():
        return _find(
            SearchedRows(model, owner.id if owner else None, after, reader.id if reader else None), terms, limit
        )


def newest_shown(model: type[Searched], limit: int, after: Place | None, reader: "User") -> Hits:
    """The newest posts of people whom a reader does not block, of the SEARCHED newest. At most three queries."""
    rows = SearchedRows(model, None, after, reader.id)
    for number in (searched_rows.FEW, searched_rows.SEARCHED):
        found = rows.with_all([], limit, number)
        if len(found) == limit:
            return Hits(found)
    return Hits(found, rows.end())


def all_of(conditions: list[Any]) -> NodeList:
    """All of the conditions, side by side: `&` would nest them, and SQLite's parser stops at a depth of a hundred."""
    return NodeList(conditions, glue=" AND ", parens=True)


def _with_terms(values: dict[Any, Any]) -> dict[Any, Any]:
    """The values by their fields' names, with the terms of the body in place of any that were given."""
    named = {getattr(key, "name", key): value for key, value in values.items()}
    if "body" in named:
        named["terms"] = terms_of(named["body"]) if isinstance(named["body"], str) else None
    return named


def _find(rows: SearchedRows, terms: list[Term], limit: int) -> Hits:
    if isinstance(database.obj, PostgresqlDatabase):
        return _find_in_postgres(rows, terms, limit)
    if not fulltext.has_fts5():
        return Hits(rows.with_all(terms, limit, ALL))
    is_slow_if_common = any(map(fulltext.is_gathered, terms))
    found = rows.with_all(terms, limit, searched_rows.FEW) if is_slow_if_common else []
    return Hits(found) if len(found) == limit else in_fts5(rows, terms, limit)


def _find_in_postgres(rows: SearchedRows, terms: list[Term], limit: int) -> Hits:
    found = rows.with_all(terms, limit, searched_rows.RECENT)
    if len(found) == limit or not (recent := rows.recent(len(found))):
        return Hits(found)
    if len(found) >= searched_rows.SOME:
        found = rows.with_all(terms, limit, 2 * limit * searched_rows.RECENT // len(found))
        if len(found) == limit:
            return Hits(found)
    is_one_of_all = len(terms) == 1 and rows.owner_id is None
    # GIN has the rows of all people, so it is asked for what is rare among those of all.
    counts = [0] if is_one_of_all else rows.count_of_all(terms)
    rare = [term for term, count in zip(terms, counts, strict=True) if count < searched_rows.COMMON]
    if rare:
        return in_gin(rows, rare, [term for term in terms if term not in rare], limit, recent)
    found = rows.with_all(terms, limit, searched_rows.SEARCHED)
    return Hits(found, rows.end() if len(found) < limit else None)


@contextmanager
def _deadline() -> Iterator[None]:
    """Cancel queries in the block after TIMEOUT, and raise SearchTooSlow."""
    ends = time.monotonic() + TIMEOUT
    is_postgres = isinstance(database.obj, PostgresqlDatabase)
    try:
        with _in_postgres_at_most() if is_postgres else _in_sqlite_until(ends):
            yield
    except OperationalError as error:
        if time.monotonic() < ends:
            raise
        raise SearchTooSlow from error


@contextmanager
def _in_postgres_at_most() -> Iterator[None]:
    with database.atomic():
        settings = ", ".join(f"set_config('{name}', %s, true)" for name in ("statement_timeout", *_PLANNING))
        database.execute_sql(f"SELECT {settings}", (str(int(TIMEOUT * 1000)), *_PLANNING.values()))
        yield


@contextmanager
def _in_sqlite_until(ends: float) -> Iterator[None]:
    connection = database.connection()
    connection.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, STEPS)
