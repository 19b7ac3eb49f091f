"""The loop: owns all connections of a process, and takes each from stage to stage."""

import time
from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR

from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData
from gunicorn.util import write_error

from webapp.web.server import limits
from webapp.web.server.connection import Connection, Stage
from webapp.web.server.connections import Connections
from webapp.web.server.lifetime import Lifetime
from webapp.web.server.threads import Threads

UNFINISHED = {Stage.IDLE, Stage.HEAD, Stage.BODY}
TOO_BUSY = f"Too many requests wait. Try again in {limits.RETRY_AFTER} seconds."


class Loop(Connections):
    """Reads requests, has `threads` make the answers, and sends these. `on_error` writes what gunicorn answers."""

    def __init__(
        self,
        config: Config,
        threads: Threads,
        lifetime: Lifetime,
        max_body: int,
        on_error: Callable[..., None],
    ) -> None:
        self._config, self._threads, self._lifetime = config, threads, lifetime
        self._max_body, self._on_error = max_body, on_error
        super().__init__()
        self.selector.register(threads.wakeup, EVENT_READ, threads.silence)

    def turn(self, timeout: float) -> None:
        """Wait for what happens next, for so many seconds at most, and do what it asks for."""
        ready = self.selector.select(timeout if self._threads.sleep() else 0)
        for connection in self._threads.done():  # first, as who has its answer may ask for the next one
            self._after_work(connection)
        for key, events in ready:
            if isinstance(key.data, Connection):
                self._on_event(key.data, events)
            else:
                key.data()

    def expire(self) -> None:
        """End what has taken too long. Costs a look at each connection."""
        now = time.monotonic()
        for connection in [each for each in self.connections if each.deadline < now]:
            if connection.stage in {Stage.HEAD, Stage.BODY}:
                self._reject(connection, 408, "Request Timeout")
            else:
                self._lose(connection)

    def _on_event(self, connection: Connection, events: int) -> None:
        try:
            if events & EVENT_WRITE and connection.stage is Stage.SENDING:
                self._send(connection)
            if events & connection.events & EVENT_READ and connection.stage is not Stage.CLOSED:
                self._receive(connection)
        except BlockingIOError:
            pass
        except OSError:
            self._lose(connection)

    def _receive(self, connection: Connection) -> None:
        data = connection.sock.recv(65536)
        if not data and connection.stage in UNFINISHED | {Stage.LINGERING}:
            self.close(connection)
        elif not data:  # who has said all that there is to say may still listen
            connection.is_ended = True
            self.watch(connection, connection.events & ~EVENT_READ)
        elif connection.stage in UNFINISHED:
            connection.received += data
            self._advance(connection)
        elif not connection.must_close:  # else it is thrown away
            connection.received += data
            if len(connection.received) > limits.MAX_AHEAD:
                self.watch(connection, connection.events & ~EVENT_READ)

    def _advance(self, connection: Connection) -> None:
        """Go on with what was received."""
        if connection.stage is Stage.IDLE:
            connection.enter(Stage.HEAD, limits.HEAD_WITHIN)
        if connection.stage is Stage.HEAD:
            self._take_head(connection)
        elif self._take_body(connection):
            self._submit(connection)

    def _take_head(self, connection: Connection) -> None:
        try:
            is_whole = connection.take_head(self._config)
        except (NoMoreData, StopIteration):
            return self.close(connection)
        except Exception as error:
            self._on_error(connection.request, connection.outlet, connection.peer, error)
            return self._say_last(connection)
        if not is_whole:
            if len(connection.received) > limits.MAX_HEAD:
                self._reject(connection, 431, "Request Header Fields Too Large")
            return None
        if not connection.expect_body(self._max_body):
            return self._submit(connection)
        connection.enter(Stage.BODY, limits.BODY_WITHIN)
        if connection.wants_to_continue() and not connection.received:
            connection.outlet.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            with suppress(OSError):  # whoever is gone is found to be as more is read
                connection.outlet.flush()
            connection.outlet.sent = 0
        return self._advance(connection)

    def _take_body(self, connection: Connection) -> bool:
        assert connection.source
        before = connection.source.size
        is_whole = connection.take_body()
        self.spooled += connection.source.size - before
        connection.allow_for(connection.source.size)
        if self.spooled > limits.MAX_SPOOLED or not connection.source.is_kept:
            self._reject(connection, 503, "Service Unavailable", TOO_BUSY)
            return False
        return is_whole

    def _submit(self, connection: Connection) -> None:
        if self._threads.queued >= limits.MAX_QUEUED:
            return self._reject(connection, 503, "Service Unavailable", TOO_BUSY)
        connection.must_close |= self._lifetime.is_last(connection)
        connection.enter(Stage.WORKING)
        self._threads.submit(connection)
        return None

    def _after_work(self, connection: Connection) -> None:
        if connection.is_lost:
            return self.close(connection)
        connection.enter(Stage.SENDING, limits.BODY_WITHIN)
        if connection.outlet.waiting:
            connection.allow_for(connection.outlet.sent)
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
            connection.enter(Stage.WORKING)
            return self._threads.submit(connection)
        self._lifetime.count(connection.status)
        if connection.must_close or (connection.is_ended and not connection.received):
            return self._linger(connection)
        self.forget(connection)
        connection.enter(Stage.IDLE, self._config.keepalive)
        self.watch(connection, EVENT_READ)
        if connection.received:
            self._advance(connection)
        return None

    def _linger(self, connection: Connection) -> None:
        """Have the client hang up first, so that it gets all of its answer."""
        if connection.is_ended:
            return self.close(connection)
        with suppress(OSError):
            connection.sock.shutdown(SHUT_WR)
        is_sending = connection.end is not None and connection.end.is_cut
        self.forget(connection)
        connection.received.clear()
        connection.enter(Stage.LINGERING, limits.LINGER_BODY if is_sending else limits.LINGER)
        return self.watch(connection, EVENT_READ)

    def _reject(self, connection: Connection, status: int, reason: str, words: str = "") -> None:
        write_error(connection.outlet, status, reason, words)
        self._say_last(connection)

    def _say_last(self, connection: Connection) -> None:
        connection.must_close = True
        self._after_work(connection)
        if connection.outlet.waiting and connection.stage is Stage.SENDING:
            self._on_event(connection, EVENT_WRITE)

    def _lose(self, connection: Connection) -> None:
        """The client is gone, or is given up. What reads its answer may need the database to end, and so a thread."""
        connection.is_lost = True
        if connection.stage is Stage.WORKING:
            return self.watch(connection, 0)
        if connection.steps:
            connection.enter(Stage.WORKING)
            self.watch(connection, 0)
            return self._threads.submit(connection)
        return self.close(connection)
