"""Full text: the indexes by which a database finds the terms of a text, which are webapp.lib.folding's.

A table that is searched has a column `terms`, written with the row. SQLite has an FTS5 table beside it, which keeps no
copy of the text, and triggers that follow every write, cascades included; its rows are in the order of the times and
ids of those that they tell of, so that the newest are found first, without a look at the others. PostgreSQL has a GIN
index.

All of it is made of the texts alone, so it can be made anew at any time. Where SQLite was built without FTS5, there is
no such table; who searches does without.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from typing import Any

from peewee import PostgresqlDatabase

from webapp.lib.folding import Term, terms_of

# The tables that are searched, by their column `body`; and by whom each row of theirs can be seen as one's own.
INDEXED = {"posts": ("user_id",), "messages": ("sender_id", "recipient_id")}
EVENTS = ("insert", "update", "delete")  # that a trigger of SQLite's follows
AT_ONCE = 1000  # rows whose terms are made between two writes
# Lengths of beginnings that FTS5 has lists of: it would else gather every row of every word that begins so, first.
BEGINNINGS = "1 2 3 4 5 6"

ID_BITS = 31
SECONDS = range(-(2**32), 2**32)  # from 1833 to 2106; what is beyond is found as if it was of its first or last second
_OWNER = "\ue100"  # before an id: a term that no text has


def mend(db: Any) -> list[str]:
    """Make the indexes that are missing, and the terms of rows that have none; returns the tables of new indexes.

    To be called after migrations, in their transaction. SQLite changes a table by dropping it for a new one, and its
    triggers go with it; or it may have been exchanged for one with FTS5. The cost is that of reading every text where
    an index is made, and else of two small queries a table.
    """
    missing = [table for table in INDEXED if _is_missing(db, table)]
    for table in missing:
        drop(db, table)
    for table in INDEXED:
        fill_all(db, table)
    for table in missing:
        _create(db, table)
    return missing


def fill_all(db: Any, table: str) -> None:
    """Make the terms of all rows that have none, by way of batches: one pass."""
    last_id: int | None = -1
    while last_id is not None:
        last_id = fill(db, table, AT_ONCE, last_id)


def fill(db: Any, table: str, most: int, after: int = -1) -> int | None:
    """Make the terms of at most so many rows that have none, with ids `after` that; returns the last id, or None.

    Such rows are those of the release before this. Two may do it at once: what one has filled the other leaves.
    """
    without = f"SELECT id, body FROM {table} WHERE terms IS NULL AND id > {after:d} ORDER BY id LIMIT {most:d}"  # noqa: S608
    rows = db.execute_sql(without).fetchall()
    ids, made = [row[0] for row in rows], [terms_of(row[1]) for row in rows]
    if not rows:
        return None
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql(
            f"UPDATE {table} SET terms = made.terms FROM unnest(%s::bigint[], %s::text[]) AS made (id, terms)"  # noqa: S608
            f" WHERE {table}.id = made.id AND {table}.terms IS NULL",
            (ids, made),
        )
    else:
        write = f"UPDATE {table} SET terms = ? WHERE id = ? AND terms IS NULL"  # noqa: S608
        with db.atomic():
            db.cursor().executemany(write, list(zip(made, ids, strict=True)))
    return int(ids[-1])


def drop(db: Any, table: str) -> None:
    """Take the index of a table away, if it is there."""
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql(f"DROP INDEX IF EXISTS {table}_terms")
        return
    for event in EVENTS:
        db.execute_sql(f"DROP TRIGGER IF EXISTS {table}_terms_{event}")
    db.execute_sql(f"DROP TABLE IF EXISTS {table}_terms")


@cache
def has_fts5() -> bool:
    """Whether this process's SQLite was built with what an index is made of."""
    with closing(sqlite3.connect(":memory:")) as connection:
        return bool(connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone())


def vector(column: str) -> str:
    """PostgreSQL's expression of the terms in a column, as the index has it."""
    return f"array_to_tsvector(string_to_array({column}, ' '))"


def tsquery(terms: list[Term]) -> str:
    """All of these terms, as PostgreSQL's text of a tsquery. No term has anything in it that would need an escape."""
    return " & ".join(f"'{term.text}'{':*' if term.is_beginning else ''}" for term in terms)


def match(terms: list[Term], owner_id: int | None) -> str:
    """The same for an FTS5 table's MATCH, of all rows or of those of one owner."""
    own = [Term(f"{_OWNER}{owner_id}", False)] if owner_id is not None else []
    return " ".join(f'"{term.text}"{"*" if term.is_beginning else ""}' for term in [*own, *terms])


def position(moment: datetime, row_id: int) -> int:
    """The rowid in an FTS5 table of the row of that time (naive UTC) and id. Later is more."""
    seconds = int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    return (max(SECONDS[0], min(SECONDS[-1], seconds)) << ID_BITS) + row_id


def _is_missing(db: Any, table: str) -> bool:
    if isinstance(db, PostgresqlDatabase):
        return db.execute_sql("SELECT to_regclass(%s)", (f"{table}_terms",)).fetchone() == (None,)
    names = {f"{table}_terms_{event}" for event in EVENTS}
    found = {name for [name] in db.execute_sql("SELECT name FROM sqlite_master").fetchall()}
    return has_fts5() and not names <= found


def _create(db: Any, table: str) -> None:
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql(f"CREATE INDEX {table}_terms ON {table} USING gin (({vector('terms')}))")
        db.execute_sql(f"ANALYZE {table}")  # else plans are made as if every word was as frequent as any other
        return
    options = f"content='', columnsize=0, detail=none, tokenize='ascii', prefix='{BEGINNINGS}'"
    db.execute_sql(f"CREATE VIRTUAL TABLE {table}_terms USING fts5(terms, {options})")
    into = f"INSERT INTO {table}_terms(rowid, terms)"
    # In the order of the rowids: FTS5 writes what comes out of order at once, and each by itself.
    db.execute_sql(f"{into} SELECT {_row(table, table)} FROM {table} ORDER BY 1")  # noqa: S608
    add = f"{into} VALUES ({_row(table, 'new')});"
    # An index that keeps no copy has to be told what it forgets.
    take = f"INSERT INTO {table}_terms({table}_terms, rowid, terms) VALUES ('delete', {_row(table, 'old')});"  # noqa: S608
    columns = ", ".join(("terms", "created_at", *INDEXED[table]))
    for event, then in zip(EVENTS, (add, take + add, take), strict=True):
        when = f"UPDATE OF {columns}" if event == "update" else event
        db.execute_sql(f"CREATE TRIGGER {table}_terms_{event} AFTER {when} ON {table} BEGIN {then} END")


def _row(table: str, row: str) -> str:
    """The rowid and the terms in an FTS5 table of a row of the table: SQL's `position`, and whose it is besides."""
    seconds = f"coalesce(CAST(strftime('%s', substr({row}.created_at, 1, 19)) AS INTEGER), 0)"
    place = f"(max({SECONDS[0]}, min({SECONDS[-1]}, {seconds})) << {ID_BITS}) + {row}.id"
    owners = "".join(f" || ' {_OWNER}' || {row}.{column}" for column in INDEXED[table])
    return f"{place}, coalesce({row}.terms, ''){owners}"
