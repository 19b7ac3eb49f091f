"""SQLite as a database of Peewee's: who waits for its write lock, for how long, and how many at a time."""

import sqlite3
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from peewee import SqliteDatabase

from webapp.db import sqlite_lock
from webapp.db.bulkhead import Bulkhead
from webapp.db.commit_hooks import CommitHooks
from webapp.db.cursor import Cursor, Parameters, Row
from webapp.db.lazy_transaction import LazyTransactions

# Seconds for which a statement waits for the write lock: in a worker, and where people wait.
WORKER_TIMEOUT, WEB_TIMEOUT = 15.0, 5.0


class Sqlite(LazyTransactions, CommitHooks, SqliteDatabase):
    """A SQLite file. With a bulkhead, only a few threads at a time wait for its write lock; reading needs none.

    `lock_timeout` is for how many seconds a statement waits for that lock; it may be changed at any time.
    """

    def __init__(self, path: str, lock_timeout: float, bulkhead: Bulkhead | None = None) -> None:
        self.lock_timeout, self.bulkhead = lock_timeout, bulkhead
        # IMMEDIATE: without it, a transaction that reads and then writes would fail at once as "locked", however long
        # the timeout, if another one wrote in between.
        super().__init__(
            path,
            lock_type="IMMEDIATE",
            timeout=0,
            pragmas={"journal_mode": "wal", "foreign_keys": 1},
            factory=sqlite_lock.connecting(path, lambda: self.lock_timeout),
        )
        # SQLite's own knows the case of English letters only.
        self.register_function(lambda text: text and text.lower(), "lower", 1, deterministic=True)

    if TYPE_CHECKING:

        def connection(self) -> sqlite_lock.Connection:
            """Peewee's."""

        def cursor(self, named_cursor: None = None) -> sqlite3.Cursor:
            """Peewee's."""

        def _execute_cursor(self, sql: str, params: Parameters) -> sqlite3.Cursor:
            """Peewee's."""

    def begin(self, *options: str | None) -> None:
        """Begin a transaction, which takes the write lock. Raises Unavailable if too many threads wait for it."""
        with self._place():
            super().begin(*options)

    def execute_sql(self, sql: str, params: Parameters | None = None) -> Cursor:
        """Peewee's. A write outside a transaction raises Unavailable as `begin` does."""
        # Ask the connection, not Peewee: to Peewee a transaction has ended before its last writes and its commit.
        if self.bulkhead is None or sql.startswith("SELECT") or self.connection().in_transaction:
            return super().execute_sql(sql, params)
        with self._place():
            return super().execute_sql(sql, params)

    def first_row(self, sql: str, params: Parameters) -> Row:
        """The first row that a SELECT finds, or None."""
        return self._execute_cursor(sql, params).fetchone()  # past what `execute_sql` does for writes alone

    def _place(self) -> AbstractContextManager[None]:
        # A thread that will not wait for the lock needs no place among those that do, and does not wait for one.
        return self.bulkhead.place() if self.bulkhead and sqlite_lock.waits() else nullcontext()
