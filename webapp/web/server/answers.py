"""How an answer is made and sent, and how a connection ends."""

from abc import ABC, abstractmethod
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR

from webapp.web.server import limits
from webapp.web.server.connection import Connection, Stage
from webapp.web.server.connections import Connections
from webapp.web.server.lifetime import Lifetime
from webapp.web.server.refusals import refuse
from webapp.web.server.threads import Threads

TOO_BUSY = f"Too many requests wait. Try again in {limits.RETRY_AFTER} seconds."


class Answers(Connections, ABC):
    """The second half of a loop: has `threads` make answers, sends them, and ends connections."""

    def __init__(self, threads: Threads, lifetime: Lifetime) -> None:
        super().__init__(threads.discard)
        self._threads, self._lifetime = threads, lifetime

    @abstractmethod
    def _advance(self, connection: Connection) -> None:
        """Go on with what was received."""

    def _submit(self, connection: Connection) -> None:
        """A request is there as a whole: have it answered."""
        if self._threads.queued >= limits.MAX_QUEUED:
            return self._reject(connection, 503, "Service Unavailable", TOO_BUSY)
        connection.must_close |= self._lifetime.is_last(connection)
        connection.enter_working()
        return self._threads.submit(connection)

    def _after_work(self, connection: Connection) -> None:
        connection.enter_sending()
        if connection.outlet.waiting:
            return self.watch(connection, connection.events | EVENT_WRITE)
        return self._go_on(connection)

    def _send(self, connection: Connection) -> None:
        is_sent = connection.outlet.flush()
        connection.allow_for(connection.outlet.sent)
        if is_sent:
            self.watch(connection, connection.events & ~EVENT_WRITE)
            self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        """All that was made is sent: have more of it made, or read the next request."""
        if connection.steps:
            connection.enter_working()
            return self._threads.submit(connection)
        self._lifetime.count(connection.status)
        if connection.must_close:
            return self._linger(connection)
        self.forget(connection)
        connection.enter(Stage.IDLE, self._lifetime.keepalive)
        if connection.received:
            return self._advance(connection)
        return self._read_on(connection)

    def _read_on(self, connection: Connection) -> None:
        """There is more to come; or there is not, and nobody is there to be answered."""
        if connection.is_ended:
            return self.close(connection)
        return self.watch(connection, EVENT_READ)

    def _linger(self, connection: Connection) -> None:
        """Have the client hang up first, so that it gets all of its answer."""
        if connection.is_ended:
            return self.close(connection)
        with suppress(OSError):
            connection.sock.shutdown(SHUT_WR)
        within = limits.LINGER_BODY if connection.is_sending else limits.LINGER
        self.forget(connection)
        connection.received.clear()
        connection.enter(Stage.LINGERING, within)
        return self.watch(connection, EVENT_READ)

    def _reject(self, connection: Connection, status: int, reason: str, words: str = "") -> None:
        refuse(connection, status, reason, words)
        self._say_last(connection)

    def _say_last(self, connection: Connection) -> None:
        connection.must_close = True
        connection.enter_sending()
        if connection.outlet.flush():
            return self._go_on(connection)
        return self.watch(connection, connection.events | EVENT_WRITE)

    def _lose(self, connection: Connection) -> None:
        """The client is gone, or is given up. What reads its answer may need the database to end, and so a thread."""
        connection.is_lost = True
        if connection.stage in {Stage.SPOOLING, Stage.WORKING}:
            connection.enter(connection.stage)
            return self.watch(connection, 0)
        if connection.steps:
            connection.enter_working()
            self.watch(connection, 0)
            return self._threads.submit(connection)
        return self.close(connection)
