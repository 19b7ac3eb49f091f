"""A connection to PostgreSQL on which no wait is endless.

A server, or a proxy in front of it, may hang in silence. Three timeouts end a wait: TCP's notices a peer that is gone,
the server ends statements and transactions that take too long, and this process stops waiting by itself, as something
in between may accept what is sent and pass nothing on.
"""

import time
from typing import Protocol, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg.pq import TransactionStatus

from webapp.db.bulkhead import Bulkhead, Unavailable
from webapp.db.cursor import Row
from webapp.db.postgres_timeouts import NONE, Timeouts

POLL_EVERY = 0.1  # seconds: how soon a wait notices a signal
GRACE = 1.0  # seconds for an answer that is on its way
BLIND_TIMEOUT = 60.0  # seconds for a statement about which the server cannot be asked
Answer = TypeVar("Answer")
OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


class Host(Protocol):
    """What a connection asks of the server to which it belongs."""

    options: str  # DATABASE_URL's own, as libpq has them
    bulkhead: Bulkhead | None

    @property
    def timeouts(self) -> Timeouts:
        """Those of a new connection of this thread."""

    def is_executing(self, pid: int, within: float | None) -> bool:
        """Whether the server's process of this id has not finished its statement; asks for so many seconds."""


class Connection(psycopg.Connection[Row]):
    """A connection that is closed after a wait that timed out, as its state is then unknown.

    Made by `Server.connect`, whose timeouts and bulkhead it has.
    """

    host: Host
    timeouts = NONE
    _pid: int | None = None  # of the server's process; None where the server cannot be asked about it
    _bulkhead: Bulkhead | None = None
    _stays = False  # whether its open transaction holds a place in the bulkhead

    def wait(self, gen: PQGen[Answer], interval: float = POLL_EVERY, timeout: float | None = None) -> Answer:
        """Psycopg's, through which every answer comes. With a `timeout`, nothing may come: for notifications.

        Raises Unavailable if the server does not answer, or may not be asked.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        bulkhead = self._bulkhead
        if bulkhead:
            self._enter(bulkhead)
        try:
            return super().wait(gen, interval, self.timeouts.answer)
        except _WaitTimeout:
            return self._wait_on(gen)
        except psycopg.Error as error:
            if self.closed and not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
                raise psycopg.OperationalError(str(error)) from error
            raise
        except BaseException:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # a signal has ended the wait, not the statement
            raise
        finally:
            if bulkhead:
                self._keep_place(bulkhead)
                bulkhead.leave()

    def __del__(self, *_: object) -> None:
        """It is closed with the thread that had it, by libpq's handle. Psycopg's own warns of an oversight first."""

    def close(self) -> None:
        """Close it, whatever it is doing."""
        super().close()
        if self._stays and self._bulkhead:
            self._keep_place(self._bulkhead)

    @property
    def is_stale(self) -> bool:
        """Whether the server has hung since this was opened: it may have dropped the session."""
        return bool(self._bulkhead and self._bulkhead.tripped_at > self._opened_at and not self._stays)

    def begin_session(self, host: Host) -> None:
        """Set up the session, in one round trip. PgBouncer would refuse the same as startup options."""
        self._bulkhead, self.host = host.bulkhead, host
        self._opened_at = time.monotonic()
        row = self.set_timeouts(host.timeouts)
        # Behind a connection pooler, each transaction has another process.
        self._pid = row[0] if row and row[0] == self.info.backend_pid else None

    def set_timeouts(self, timeouts: Timeouts) -> Row | None:
        """Have these from now on, here and in the session; returns a row with the id of the server's process."""
        self.timeouts = timeouts
        known = {name: value for name, value in timeouts.session.items() if self._knows(name)}
        changes = "".join(", set_config(%s, %s, false)" for _ in known)
        words = [word for setting in known.items() for word in setting]
        return self.execute(f"SELECT pg_backend_pid(){changes}", words).fetchone()

    def _knows(self, setting: str) -> bool:
        if setting in self.host.options:
            return False  # DATABASE_URL has set it
        return setting != "transaction_timeout" or self.info.server_version >= 170_000

    def _enter(self, bulkhead: Bulkhead) -> None:
        try:
            bulkhead.enter()
        except Unavailable:
            if self.pgconn.transaction_status != TransactionStatus.IDLE:
                self.close()  # which rolls its transaction back
            raise

    def _keep_place(self, bulkhead: Bulkhead) -> None:
        """A thread in a transaction stays inside: others may wait for its locks."""
        stays = self.pgconn.transaction_status in OPEN
        if stays != self._stays:
            self._stays = stays
            if stays:
                bulkhead.stay()
            else:
                bulkhead.leave()

    def _wait_on(self, gen: PQGen[Answer]) -> Answer:
        """Wait on after the timeout, if this process is patient and the server says that the statement still runs."""
        pause = self.timeouts.answer
        while self.timeouts.patient:
            if self._pid is None:
                pause, is_executing = BLIND_TIMEOUT, False
            elif is_executing := self.host.is_executing(self._pid, self.timeouts.answer):
                pause = min(2 * (pause or 1), BLIND_TIMEOUT)
            else:
                pause = GRACE
            try:
                return super().wait(gen, POLL_EVERY, pause)
            except _WaitTimeout:
                if not is_executing:
                    break
        self.close()
        if self._bulkhead:
            self._bulkhead.trip()
        raise Unavailable("the database did not answer in time")
