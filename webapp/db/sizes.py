"""How much room the database takes: cheap, and so estimated where the database only knows about."""

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from webapp.db.cursor import Row
from webapp.db.handle import database, is_postgres

# To measure a table waits for whoever has locked it, or is about to; it is named first, and its size is not asked.
_LARGEST = """
SELECT relname, CASE WHEN EXISTS (
    SELECT 1 FROM pg_locks WHERE relation = pg_class.oid AND mode = 'AccessExclusiveLock' AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
) THEN NULL ELSE pg_total_relation_size(oid) END AS size, reltuples FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY size DESC NULLS FIRST, relname LIMIT 20
"""


@dataclass(frozen=True)
class Table:
    """A table with its indexes: bytes, None while locked; and about how many rows, None before any are counted."""

    name: str
    size: int | None
    rows: int | None


@dataclass(frozen=True)
class Sizes:
    """The server and its version, and bytes: of the whole database, and of SQLite's log that is not yet part of it."""

    kind: str
    version: str
    size: int
    log: int


def server_kind() -> str:
    """What the server is called. No query."""
    return "PostgreSQL" if is_postgres() else "SQLite"


def sizes() -> Sizes:
    """What there is now. On PostgreSQL two small queries, which look at files and at no row; on SQLite only files."""
    if not is_postgres():
        path = Path(str(database.obj.database))
        return Sizes(server_kind(), sqlite3.sqlite_version, _size(path), _size(path.with_name(f"{path.name}-wal")))
    [version] = _row("SELECT current_setting('server_version')")
    [size] = _row("SELECT pg_database_size(current_database())")
    return Sizes(server_kind(), str(version), int(size), 0)


def largest_tables() -> list[Table]:
    """The twenty largest, and before them those that somebody has locked. One query, which looks at files.

    SQLite does not know the size of a table without reading it all: there, none is listed.
    """
    if not is_postgres():
        return []
    rows: Iterable[Row] = database.execute_sql(_LARGEST).fetchall()
    return [
        Table(name, None if size is None else int(size), int(count) if count >= 0 else None)
        for name, size, count in rows
    ]


def clock_ahead() -> float | None:
    """By how many seconds the clock of PostgreSQL is ahead of ours; None on SQLite, which has ours. One query."""
    if not is_postgres():
        return None
    [ahead] = _row("SELECT extract(epoch FROM clock_timestamp()) - %s", [time.time()])
    return float(ahead)


def _row(sql: str, params: list[object] | None = None) -> Row:
    return database.execute_sql(sql, params).fetchone()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
