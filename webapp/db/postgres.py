"""PostgreSQL, and for how long its answers are waited for: a server, or what stands before it, may hang in silence.

Three things end a wait. The system's TCP notices a peer that is gone; the server ends statements and transactions that
take too long; and whoever waits gives up, as something in between may take what is sent and pass nothing on.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from peewee import PostgresqlDatabase, Psycopg3Adapter
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import _WaitTimeout
from psycopg.pq import TransactionStatus

from webapp.db.timeouts import CONNECTING, NONE, Deadlines
from webapp.lib.circuit_breaker import Bulkhead, Unavailable

log = logging.getLogger(__name__)

LOOK_EVERY = 0.1  # seconds: how soon a wait notices a signal
LAST_MOMENT = 1.0  # seconds: for an answer that is on its way
ANY_STATEMENT = 60.0  # seconds in which a statement is done that the server cannot be asked about
CONNECTION_LOST = ("08", "28", "40", "53", "57", "58")  # https://www.postgresql.org/docs/current/errcodes-appendix.html
TRANSACTION_LOST = ("25006", "25P03", "25P04", "55P03")
OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


class Connection(psycopg.Connection[Any]):
    """A connection whose every wait ends in time. After one that did not, it is closed: nobody knows its state.

    Made by `Server.connect`, whose deadlines and bulkhead it has.
    """

    server: "Server"
    deadlines = NONE
    _pid: int | None = None  # of the server's process, where it can be asked about
    _bulkhead: Bulkhead | None = None
    _stays = False  # whether its open transaction holds a place in the bulkhead

    def wait(self, gen: Any, interval: float = LOOK_EVERY, timeout: float | None = None) -> Any:
        """What psycopg does for all that it asks. With a `timeout`, it may be that nothing comes: for notifications.

        Raises Unavailable where the server does not answer, or may not be asked.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        bulkhead = self._bulkhead
        if bulkhead:
            self._enter(bulkhead)
        try:
            return super().wait(gen, interval, self.deadlines.wait)
        except _WaitTimeout:
            return self._wait_on(gen)
        except psycopg.Error as error:
            if self.closed and not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
                raise psycopg.OperationalError(str(error)) from error
            raise
        except BaseException:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # a signal has ended the wait, not what was waited for
            raise
        finally:
            if bulkhead:
                self._keep_place(bulkhead)
                bulkhead.leave()

    def close(self) -> None:
        """Close it, whatever it is doing."""
        super().close()
        if self._stays and self._bulkhead:
            self._keep_place(self._bulkhead)

    @property
    def is_stale(self) -> bool:
        """Whether the server has stopped to answer since this was opened: it may have forgotten it."""
        return bool(self._bulkhead and self._bulkhead.tripped_at > self._opened_at and not self._stays)

    def _set_up(self, server: "Server") -> None:
        """Begin the session, in one round trip. Not by startup options: PgBouncer would refuse these."""
        self._bulkhead, self.server = server.bulkhead, server
        self._opened_at = time.monotonic()
        row = self._keep(server.deadlines)
        # Behind a pooler it is another process at each transaction.
        self._pid = row[0] if row and row[0] == self.info.backend_pid else None

    def _keep(self, deadlines: Deadlines) -> Any:
        self.deadlines = deadlines
        known = {name: value for name, value in deadlines.settings.items() if self._knows(name)}
        changes = "".join(", set_config(%s, %s, false)" for _ in known)
        words = [word for setting in known.items() for word in setting]
        return self.execute(f"SELECT pg_backend_pid(){changes}", words).fetchone()

    def _knows(self, setting: str) -> bool:
        if setting in self.server.options:
            return False  # DATABASE_URL has set it
        return setting != "transaction_timeout" or self.info.server_version >= 170_000

    def _enter(self, bulkhead: Bulkhead) -> None:
        try:
            bulkhead.enter()
        except Unavailable:
            if self.pgconn.transaction_status != TransactionStatus.IDLE:
                self.close()  # what its transaction has done so far is undone
            raise

    def _keep_place(self, bulkhead: Bulkhead) -> None:
        """A thread in a transaction stays inside: others may wait for what it holds."""
        stays = self.pgconn.transaction_status in OPEN
        if stays != self._stays:
            self._stays = stays
            if stays:
                bulkhead.stay()
            else:
                bulkhead.leave()

    def _wait_on(self, gen: Any) -> Any:
        """The deadline has passed."""
        pause = self.deadlines.wait
        while self.deadlines.patient:
            if self._pid is None:
                pause, is_at_it = ANY_STATEMENT, False
            elif is_at_it := self._is_at_it():
                pause = min(2 * (pause or 1), ANY_STATEMENT)
            else:
                pause = LAST_MOMENT
            try:
                return super().wait(gen, LOOK_EVERY, pause)
            except _WaitTimeout:
                if not is_at_it:
                    break
        self.close()
        if self._bulkhead:
            self._bulkhead.trip()
        raise Unavailable("the database did not answer in time")

    def _is_at_it(self) -> bool:
        """Whether the server says, by another connection, that it has not done yet what we wait for."""
        try:
            with Server(self.server.url, Deadlines(self.deadlines.wait), guarded=False).connect() as other:
                query = "SELECT state NOT LIKE 'idle%%' FROM pg_stat_activity WHERE pid = %s"
                found = other.execute(query, (self._pid,)).fetchone()
        except (psycopg.Error, Unavailable):
            return False
        return bool(found and found[0])


class Server:
    """A PostgreSQL at an address, and how long this process waits for it."""

    def __init__(self, url: str, deadlines: Deadlines, guarded: bool) -> None:
        self.url, self._deadlines = url, deadlines
        self._of_thread = threading.local()
        self._parameters = CONNECTING | {name: str(value) for name, value in conninfo_to_dict(url).items()}
        self.options = self._parameters.get("options", "")
        self.bulkhead = Bulkhead(self._probe) if guarded else None

    def connect(self) -> Connection:
        """A new connection, in autocommit. Raises psycopg.OperationalError, or Unavailable from a guarded process."""
        if self.bulkhead is None:
            return self._connect()
        with self.bulkhead.place_to_connect():
            try:
                return self._connect()
            except psycopg.errors.ConnectionTimeout:
                self.bulkhead.trip()
                raise

    @property
    def deadlines(self) -> Deadlines:
        """Those of what this thread connects."""
        found: Deadlines = getattr(self._of_thread, "deadlines", self._deadlines)
        return found

    @contextmanager
    def without_deadlines(self, connection: Connection) -> Iterator[None]:
        """Let a connection, and those that this thread opens, have no deadlines while the block lasts."""
        before, self._of_thread.deadlines = self.deadlines, NONE
        connection._keep(NONE)
        try:
            yield
        finally:
            self._of_thread.deadlines = before
            if not connection.closed:
                connection._keep(before)

    def _connect(self) -> Connection:
        connection: Connection = Connection.connect(**self._parameters, autocommit=True)  # type: ignore[arg-type]
        try:
            connection._set_up(self)
        except BaseException:
            connection.close()
            raise
        return connection

    def _probe(self) -> None:
        """Ask for anything, whatever the bulkhead thinks."""
        Server(self.url, self.deadlines, guarded=False).connect().close()


class _Adapter(Psycopg3Adapter):
    def connect(self, db: "Postgres", **_: Any) -> Connection:
        return db.server.connect()


class Postgres(PostgresqlDatabase):
    """Peewee's PostgreSQL, connected to by a Server."""

    psycopg3_adapter = _Adapter

    def __init__(self, server: Server) -> None:
        self.server = server
        super().__init__(server.url, prefer_psycopg3=True)
        self._lock = _Unlocked()

    def cursor(self, named_cursor: str | None = None) -> Any:
        """A cursor of this thread's connection, or of a new one where that is not to be trusted any more."""
        state: Any = self._state  # type: ignore[attr-defined]
        if state.conn is not None and state.conn.is_stale and not state.transactions:
            self.close()
        return super().cursor(named_cursor)


class _Unlocked:
    """In place of Peewee's lock around connecting: a thread that waits there must not make all others wait.

    What it guards is each thread's own.
    """

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def lost(sqlstate: str) -> bool:
    """Whether an error says that the server cannot be reached or written now, and nothing about what was asked."""
    return sqlstate[:2] in CONNECTION_LOST or sqlstate in TRANSACTION_LOST
