"""Search: rows by the words in their text, on every database, in a bounded time."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from peewee import NodeList, OperationalError, PostgresqlDatabase, TextField

from webapp.db import BaseModel, database, fulltext
from webapp.lib.tokenization import Term, query_terms, terms_of

if TYPE_CHECKING:
    from webapp.models.user import User

TIMEOUT = 2.0  # seconds that a search may take; web threads are few
RECENT = 1000  # newest rows, which PostgreSQL searches first: a frequent word is found without its other rows
STEPS = 10_000  # instructions of SQLite's between two looks at the clock

Place = tuple[datetime, int]  # of a row among others: its `created_at` and its id


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
    model: type[Searched], text: str, limit: int, owner: "User | None" = None, after: Place | None = None
) -> list[int]:
    """The ids of the newest rows that match a query, of everyone or of one owner; the newest first, at most `limit`.

    A row matches if each word of the query is the beginning of one of its words. In scripts without spaces, two
    neighboring letters match anywhere; a query without words matches by its signs. With `after`, only rows older than
    that place count. At most three queries. Raises SearchTooSlow after TIMEOUT.
    """
    if not (terms := query_terms(text)):
        return []
    owner_id = owner.id if owner else None
    with _deadline():
        if isinstance(database.obj, PostgresqlDatabase):
            return _in_postgres(model, terms, limit, owner_id, after)
        if fulltext.has_fts5():
            return _in_fts5(model, terms, limit, owner_id, after)
        return _one_by_one(model, terms, limit, owner_id, after)


def all_of(conditions: list[Any]) -> NodeList:
    """All of the conditions, side by side: `&` would nest them, and SQLite's parser stops at a depth of a hundred."""
    return NodeList(conditions, glue=" AND ", parens=True)


def _with_terms(values: dict[Any, Any]) -> dict[Any, Any]:
    """The values by their fields' names, with the terms of the body in place of any that were given."""
    named = {getattr(key, "name", key): value for key, value in values.items()}
    if "body" in named:
        named["terms"] = terms_of(named["body"]) if isinstance(named["body"], str) else None
    return named


def _in_fts5(model: Any, terms: list[Term], limit: int, owner_id: int | None, after: Place | None) -> list[int]:
    table = f"{model._meta.table_name}_terms"
    before = fulltext.position(*after) if after else 2**63 - 1
    sql = (
        f"SELECT rowid & {2**fulltext.ID_BITS - 1} FROM {table}"  # noqa: S608
        f" WHERE {table} MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
    )
    return _ids(database.execute_sql(sql, (fulltext.match(terms, owner_id), before, limit)))


def _in_postgres(model: Any, terms: list[Term], limit: int, owner_id: int | None, after: Place | None) -> list[int]:
    """First among the newest rows, then in all by the index, which does not know which are newer.

    In two queries: with one, the planner would go by how frequent it estimates a word to be, and look for a frequent
    one row by row, through the whole table if the estimate is wrong.
    """
    is_match = f"{fulltext.vector('terms')} @@ %s::tsquery"
    query = fulltext.tsquery(terms)
    table, (where, values) = model._meta.table_name, _visible(model, owner_id, after)
    rows = f"SELECT id, created_at, terms FROM {table} WHERE {where}"  # noqa: S608
    order = "ORDER BY created_at DESC, id DESC LIMIT"
    if len(fulltext.INDEXED[table]) == 1:  # the rows of an owner are in that order, too
        recent = f"SELECT id FROM ({rows} {order} {RECENT}) AS recent WHERE {is_match} {order} {limit:d}"  # noqa: S608
        found = _ids(database.execute_sql(recent, (*values, query)))
        if len(found) == limit:
            return found
    every = f"SELECT id FROM ({rows} AND {is_match} OFFSET 0) AS found {order} {limit:d}"  # noqa: S608
    return _ids(database.execute_sql(every, (*values, query)))


def _one_by_one(model: Any, terms: list[Term], limit: int, owner_id: int | None, after: Place | None) -> list[int]:
    table, (where, values) = model._meta.table_name, _visible(model, owner_id, after)
    likes = [f"% {term.text}{'%' if term.is_prefix else ' %'}" for term in terms]
    has_all = " AND ' ' || terms || ' ' LIKE ?" * len(likes)
    sql = f"SELECT id FROM {table} WHERE {where}{has_all} ORDER BY created_at DESC, id DESC LIMIT {limit:d}"  # noqa: S608
    return _ids(database.execute_sql(sql, (*values, *likes)))


def _visible(model: Any, owner_id: int | None, after: Place | None) -> tuple[str, list[Any]]:
    """SQL's condition for the rows of an owner, if one is given, and after a place, if one is; and its values."""
    conditions, values = ["1 = 1"], list[Any]()
    if owner_id is not None:
        columns = fulltext.INDEXED[model._meta.table_name]
        conditions.append(f"({' OR '.join(f'{column} = {database.param}' for column in columns)})")
        values += [owner_id] * len(columns)
    if after:
        conditions.append(f"(created_at, id) < ({database.param}, {database.param})")
        values += after
    return " AND ".join(conditions), values


def _ids(cursor: Any) -> list[int]:
    return [row_id for [row_id] in cursor.fetchall()]


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
        # There is an index: reading the whole table is never better.
        settings = "SELECT set_config('statement_timeout', %s, true), set_config('enable_seqscan', 'off', true)"
        database.execute_sql(settings, (str(int(TIMEOUT * 1000)),))
        yield


@contextmanager
def _in_sqlite_until(ends: float) -> Iterator[None]:
    connection = database.connection()
    connection.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, STEPS)
