"""PostgreSQL: the server at an address, and Peewee's database that connects to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from peewee import PostgresqlDatabase, Psycopg3Adapter
from psycopg.conninfo import conninfo_to_dict

from webapp.db.bulkhead import Bulkhead, Unavailable
from webapp.db.commit_hooks import CommitHooks
from webapp.db.cursor import Parameters, Row
from webapp.db.lazy_transaction import LazyTransactions
from webapp.db.postgres_connection import Connection
from webapp.db.postgres_timeouts import CONNECT_OPTIONS, NONE, Timeouts

CONNECTION_LOST = ("08", "28", "40", "53", "57", "58")  # https://www.postgresql.org/docs/current/errcodes-appendix.html
TRANSACTION_LOST = ("25006", "25P03", "25P04", "55P03")


class Server:
    """A PostgreSQL server, and how long this process waits for it. A `guarded` one has a bulkhead."""

    def __init__(self, url: str, timeouts: Timeouts, guarded: bool) -> None:
        self.url, self._timeouts = url, timeouts
        self._of_thread = threading.local()
        self._parameters = CONNECT_OPTIONS | {name: str(value) for name, value in conninfo_to_dict(url).items()}
        self.options = self._parameters.get("options", "")
        self.bulkhead = Bulkhead(self._probe) if guarded else None

    def connect(self) -> Connection:
        """A new connection, in autocommit. Raises psycopg.OperationalError, or Unavailable if it is guarded."""
        if self.bulkhead is None:
            return self._connect()
        with self.bulkhead.place_to_connect():
            try:
                return self._connect()
            except psycopg.errors.ConnectionTimeout:
                self.bulkhead.trip()
                raise

    @property
    def timeouts(self) -> Timeouts:
        """Those of a new connection of this thread."""
        found: Timeouts = getattr(self._of_thread, "timeouts", self._timeouts)
        return found

    @contextmanager
    def without_timeouts(self, connection: Connection) -> Iterator[None]:
        """Let a connection, and those that this thread opens, have no timeouts within the block."""
        before, self._of_thread.timeouts = self.timeouts, NONE
        connection.set_timeouts(NONE)
        try:
            yield
        finally:
            self._of_thread.timeouts = before
            if not connection.closed:
                connection.set_timeouts(before)

    def is_executing(self, pid: int, within: float | None) -> bool:
        """Whether the server says, over another connection, that its process has not finished its statement yet.

        False if it does not answer that within so many seconds.
        """
        try:
            with Server(self.url, Timeouts(within), guarded=False).connect() as other:
                query = "SELECT state NOT LIKE 'idle%%' FROM pg_stat_activity WHERE pid = %s"
                found = other.execute(query, (pid,)).fetchone()
        except (psycopg.Error, Unavailable):
            return False
        return bool(found and found[0])

    def _connect(self) -> Connection:
        connection: Connection = Connection.connect(**self._parameters, autocommit=True)  # type: ignore[arg-type]
        try:
            connection.begin_session(self)
        except BaseException:
            connection.close()
            raise
        return connection

    def _probe(self) -> None:
        """Connect, whatever the bulkhead thinks."""
        Server(self.url, self.timeouts, guarded=False).connect().close()


class _Adapter(Psycopg3Adapter):
    def connect(self, db: "Postgres", **_: object) -> Connection:
        return db.server.connect()


class Postgres(LazyTransactions, CommitHooks, PostgresqlDatabase):
    """Peewee's PostgreSQL, connected to by a Server."""

    psycopg3_adapter = _Adapter

    if TYPE_CHECKING:

        def connection(self) -> Connection:
            """Peewee's."""

        def _execute_cursor(self, sql: str, params: Parameters, kept_for: str) -> psycopg.Cursor[Row]:
            """Peewee's, which hands what else it gets to `cursor`."""

    def __init__(self, server: Server) -> None:
        self.server, self._kept = server, _KeptCursors()
        super().__init__(server.url, prefer_psycopg3=True)
        self._lock = _NoLock()

    def first_row(self, sql: str, params: Parameters) -> Row:
        """The first row that a SELECT finds, or None. This thread keeps its cursor: to make one costs as much again."""
        return self._execute_cursor(sql, params, kept_for=sql).fetchone()

    def cursor(self, named_cursor: str | None = None, kept_for: str = "") -> psycopg.Cursor[Row]:
        """A cursor of this thread's connection, or of a new one if the server has hung since it was opened."""
        state = self._state
        if state.conn is not None and state.conn.is_stale and not state.transactions:
            self.close()
        if kept_for:
            return self._kept.cursor(self.connection(), kept_for)
        cursor: psycopg.Cursor[Row] = super().cursor(named_cursor)  # type: ignore[no-untyped-call]
        return cursor


class _KeptCursors(threading.local):
    """A thread's cursors, by their statements. Not the connection's own: it is closed when nobody has it any more."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._cursors: dict[str, psycopg.Cursor[Row]] = {}

    def cursor(self, connection: Connection, sql: str) -> psycopg.Cursor[Row]:
        """The cursor of this connection for that statement."""
        if connection is not self._connection:
            self._connection, self._cursors = connection, {}
        if sql not in self._cursors:
            self._cursors[sql] = connection.cursor()
        return self._cursors[sql]


class _NoLock:
    """In place of Peewee's lock around connecting: one thread that waits to connect must not hold up the others.

    The lock would guard state that each thread has of its own.
    """

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def is_lost(sqlstate: str) -> bool:
    """Whether an error means that the server cannot be reached or written now, rather than that the query is wrong."""
    return sqlstate[:2] in CONNECTION_LOST or sqlstate in TRANSACTION_LOST
