"""Full text: the indexes by which a database finds words in a column, kept in step by the database itself.

SQLite has a table of its own for each (FTS5, which keeps no copy of the text) and triggers that follow every write,
cascades included; PostgreSQL an index on an expression. Both hold words without their case and accents, cut at whatever
is neither letter nor digit, in any script. An index is made of the text alone, so it can be made anew at any time.

Where SQLite was built without FTS5, there is none; who searches does without.
"""

import sqlite3
from contextlib import closing
from functools import cache
from typing import Any

from peewee import SQL, NodeList, PostgresqlDatabase

# What a migration has made an index of.
INDEXED = {"posts": "body", "messages": "body"}
EVENTS = ("insert", "update", "delete")  # that a trigger of SQLite's follows

# Accents go; so does what stands between words, which PostgreSQL would else take for paths, hosts and the like.
_VECTOR = (
    "to_tsvector('simple'::regconfig, regexp_replace(normalize(regexp_replace(normalize(",
    ", NFD), '[\\u0300-\\u036f]', '', 'g'), NFC), '[\\u0021-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u00bf"
    "\\u2000-\\u206f\\u3000-\\u303f]+', ' ', 'g'))",
)


def create(db: Any, table: str) -> None:
    """Make the index of a table and fill it with the rows that are there. For migrations."""
    column = INDEXED[table]
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql(f"CREATE INDEX {table}_search ON {table} USING gin (({vector(column)}))")
    elif has_fts5():
        db.execute_sql(
            f"CREATE VIRTUAL TABLE {table}_search USING fts5({column}, content='{table}', content_rowid='id',"
            " tokenize='unicode61 remove_diacritics 2')"
        )
        _follow(db, table, column)


def drop(db: Any, table: str) -> None:
    """Take the index of a table away. For migrations."""
    if isinstance(db, PostgresqlDatabase):
        db.execute_sql(f"DROP INDEX {table}_search")
    else:
        for event in EVENTS:
            db.execute_sql(f"DROP TRIGGER IF EXISTS {table}_search_{event}")
        db.execute_sql(f"DROP TABLE IF EXISTS {table}_search")


def mend(db: Any) -> list[str]:
    """Make indexes follow their tables again where a migration has cut them off; returns the tables.

    SQLite changes a table by dropping it for a new one, and its triggers go with it. And it may have been exchanged
    for one with FTS5. To be called after migrations.
    """
    if isinstance(db, PostgresqlDatabase) or not has_fts5():
        return []
    found = {name for [name] in db.execute_sql("SELECT name FROM sqlite_master").fetchall()}
    cut_off = [table for table in INDEXED if not {f"{table}_search_{event}" for event in EVENTS} <= found]
    for table in cut_off:
        drop(db, table)
        create(db, table)
    return cut_off


@cache
def has_fts5() -> bool:
    """Whether this process's SQLite was built with what an index is made of."""
    with closing(sqlite3.connect(":memory:")) as connection:
        return bool(connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone())


def vector(column: str) -> str:
    """PostgreSQL's expression of the words of a column, as the index has it."""
    return column.join(_VECTOR)


def vector_of(field: Any) -> NodeList:
    """The same in a query: only what is spelled as in the index is looked up there."""
    return NodeList((SQL(_VECTOR[0]), field, SQL(_VECTOR[1])), glue="")


def words_of(text: str) -> NodeList:
    """PostgreSQL's query for rows that have, for each word of a text, one that begins with it.

    It is the database that cuts the text, as it has cut those rows: where a word ends differs from script to script,
    and from what Python says. A text without any word in that sense is found nowhere.
    """
    beginnings = SQL("(SELECT string_agg(quote_literal(lexeme) || ':*', ' & ')::tsquery FROM unnest(")
    return NodeList((beginnings, vector_of(SQL("%s::text", [text])), SQL("))")), glue="")


def _follow(db: Any, table: str, column: str) -> None:
    """Make the triggers, and the index anew from what the table has."""
    add = f"INSERT INTO {table}_search(rowid, {column}) VALUES (new.id, new.{column});"  # noqa: S608
    # An index that keeps no copy has to be told what it forgets.
    forget = f"INSERT INTO {table}_search({table}_search, rowid, {column})"
    take = f"{forget} VALUES ('delete', old.id, old.{column});"
    for event, then in zip(EVENTS, (add, take + add, take), strict=True):
        name, when = f"{table}_search_{event}", f"UPDATE OF {column}" if event == "update" else event
        db.execute_sql(f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {when} ON {table} BEGIN {then} END")
    db.execute_sql(f"INSERT INTO {table}_search({table}_search) VALUES ('rebuild')")  # noqa: S608
