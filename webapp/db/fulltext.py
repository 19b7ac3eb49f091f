"""Full-text indexes: how a database finds rows by the terms of their texts, which webapp.lib.tokenization makes.

A searched table has a column `terms`, written with the row. On SQLite it has an FTS5 table beside it, which keeps no
copy of the text, and triggers that follow every write, cascades included; the rowids are in the order of the rows'
times and ids, so that the newest rows are found first, without reading the others. On PostgreSQL it has a GIN index.

The indexes are derived from the texts, and can be rebuilt at any time. A SQLite built without FTS5 has no such table,
and search does without.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import cache

from webapp.db.handle import Backend
from webapp.db.postgres import Postgres
from webapp.lib.tokenization import Term, terms_of

# The tables whose column `body` is searched, each with the columns that name the owners of a row.
INDEXED = {"posts": ("user_id",), "messages": ("sender_id", "recipient_id")}
EVENTS = ("insert", "update", "delete")  # each has a trigger on SQLite
BATCH_SIZE = 1000  # rows whose terms are made between two writes
# Lengths of prefixes that FTS5 indexes; for others it first gathers all rows of all words with that prefix.
LONGEST_PREFIX = 6
PREFIXES = " ".join(map(str, range(1, LONGEST_PREFIX + 1)))

ID_BITS = 31
SECONDS = range(-(2**32), 2**32)  # from 1833 to 2106; a time outside is taken for the first or last second
_OWNER = "\ue100"  # with an id behind it, a term that no text has


def mend(db: Backend, batch_size: int = BATCH_SIZE) -> list[str]:
    """Create missing indexes, and the terms of rows that have none; returns the tables whose index was created.

    Call it after migrations, in their transaction: SQLite changes a table by replacing it, which drops its triggers.
    Or SQLite was upgraded to a build with FTS5. Reads every text of a table whose index is created, and otherwise costs
    two small queries a table.
    """
    missing = [table for table in INDEXED if _is_missing(db, table)]
    for table in missing:
        drop(db, table)
    for table in INDEXED:
        fill_all(db, table, batch_size)
    for table in missing:
        _create(db, table)
    return missing


def fill_all(db: Backend, table: str, batch_size: int = BATCH_SIZE) -> None:
    """Make the terms of all rows that have none, in batches: one pass."""
    last_id: int | None = -1
    while last_id is not None:
        last_id = fill(db, table, batch_size, last_id)


def fill(db: Backend, table: str, most: int, after: int = -1) -> int | None:
    """Make the terms of at most `most` rows that have none, with ids above `after`; returns the last id, or None.

    Rows that the release before this writes have none. Two processes may do this at once: each skips the other's rows.
    """
    without = f"SELECT id, body FROM {table} WHERE terms IS NULL AND id > {after:d} ORDER BY id LIMIT {most:d}"  # noqa: S608
    rows = db.execute_sql(without).fetchall()
    ids, made = [row[0] for row in rows], [terms_of(row[1]) for row in rows]
    if not rows:
        return None
    if isinstance(db, Postgres):
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


def drop(db: Backend, table: str) -> None:
    """Drop the index of a table, if there is one."""
    if isinstance(db, Postgres):
        db.execute_sql(f"DROP INDEX IF EXISTS {table}_terms")
        return
    for event in EVENTS:
        db.execute_sql(f"DROP TRIGGER IF EXISTS {table}_terms_{event}")
    db.execute_sql(f"DROP TABLE IF EXISTS {table}_terms")


@cache
def has_fts5() -> bool:
    """Whether this process's SQLite was built with FTS5."""
    with closing(sqlite3.connect(":memory:")) as connection:
        return bool(connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone())


def vector(column: str) -> str:
    """PostgreSQL's expression for the terms in a column, the one on which the index is built."""
    return f"array_to_tsvector(string_to_array({column}, ' '))"


def tsquery(terms: list[Term]) -> str:
    """PostgreSQL's tsquery, as text, for rows with all of these terms. No term contains anything to escape."""
    return " & ".join(f"'{term.text}'{':*' if term.is_prefix else ''}" for term in terms)


def match(terms: list[list[Term]], owner_id: int | None) -> str:
    """FTS5's MATCH expression for rows with one term of each list; only those of one owner, if one is given."""
    own = [[Term(f"{_OWNER}{owner_id}", False)]] if owner_id is not None else []
    quoted = ([f'"{term.text}"{"*" if term.is_prefix else ""}' for term in any_of] for any_of in [*own, *terms])
    return " AND ".join(f"({' OR '.join(any_of)})" for any_of in quoted)


def vocabulary(table: str) -> tuple[str, str]:
    """SQL that lets this connection to SQLite read the terms in an index, and SQL for the first one from a text on."""
    words = f"temp.{table}_words"
    create = f"CREATE VIRTUAL TABLE IF NOT EXISTS {words} USING fts5vocab('main', '{table}_terms', 'instance')"
    return create, f"SELECT term FROM {words} WHERE term >= ? LIMIT 1"  # noqa: S608


def is_gathered(term: Term) -> bool:
    """Whether FTS5 gathers all rows with this term before it returns the newest."""
    return term.is_prefix and len(term.text) > LONGEST_PREFIX


def beginning(term: Term) -> Term:
    """The longest prefix of a term that FTS5 has in order."""
    return Term(term.text[:LONGEST_PREFIX], True)


def position(moment: datetime, row_id: int) -> int:
    """The rowid in an FTS5 table for a row of that time (naive UTC) and id. It grows with the time."""
    seconds = int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    return (max(SECONDS[0], min(SECONDS[-1], seconds)) << ID_BITS) + row_id


def _is_missing(db: Backend, table: str) -> bool:
    if isinstance(db, Postgres):
        [found] = db.execute_sql("SELECT to_regclass(%s)", (f"{table}_terms",)).fetchone()
        return found is None
    names = {f"{table}_terms_{event}" for event in EVENTS}
    made = {name for [name] in db.execute_sql("SELECT name FROM sqlite_master").fetchall()}
    return has_fts5() and not names <= made


def _create(db: Backend, table: str) -> None:
    if isinstance(db, Postgres):
        db.execute_sql(f"CREATE INDEX {table}_terms ON {table} USING gin (({vector('terms')}))")
        db.execute_sql(f"ANALYZE {table}")  # without it, the planner takes all words for equally frequent
        return
    options = f"content='', columnsize=0, detail=none, tokenize='ascii', prefix='{PREFIXES}'"
    db.execute_sql(f"CREATE VIRTUAL TABLE {table}_terms USING fts5(terms, {options})")
    into = f"INSERT INTO {table}_terms(rowid, terms)"
    # In the order of the rowids: FTS5 writes each row that comes out of order by itself.
    db.execute_sql(f"{into} SELECT {_row(table, table)} FROM {table} ORDER BY 1")  # noqa: S608
    add = f"{into} VALUES ({_row(table, 'new')});"
    # An index without a copy of the text must be given the terms that it deletes.
    take = f"INSERT INTO {table}_terms({table}_terms, rowid, terms) VALUES ('delete', {_row(table, 'old')});"  # noqa: S608
    columns = ", ".join(("terms", "created_at", *INDEXED[table]))
    for event, then in zip(EVENTS, (add, take + add, take), strict=True):
        when = f"UPDATE OF {columns}" if event == "update" else event
        db.execute_sql(f"CREATE TRIGGER {table}_terms_{event} AFTER {when} ON {table} BEGIN {then} END")


def _row(table: str, row: str) -> str:
    """SQL for the rowid and terms of a row in the FTS5 table: `position`, and the terms with those of its owners."""
    seconds = f"coalesce(CAST(strftime('%s', substr({row}.created_at, 1, 19)) AS INTEGER), 0)"
    place = f"(max({SECONDS[0]}, min({SECONDS[-1]}, {seconds})) << {ID_BITS}) + {row}.id"
    owners = "".join(f" || ' {_OWNER}' || {row}.{column}" for column in INDEXED[table])
    return f"{place}, coalesce({row}.terms, ''){owners}"
