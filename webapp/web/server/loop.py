"""The loop: owns all connections of a process, and takes each from stage to stage."""

import logging
import time
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR
from typing import Any

from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData
from gunicorn.http.message import Request

from webapp.web.server import limits
from webapp.web.server.answers import TOO_BUSY, Answers
from webapp.web.server.connection import Connection, Stage
from webapp.web.server.lifetime import Lifetime
from webapp.web.server.refusals import refuse, refuse_error
from webapp.web.server.threads import Threads

UNFINISHED = {Stage.IDLE, Stage.HEAD, Stage.BODY}
NO_ROOM = "There is no room for what you send. Try again later."

log = logging.getLogger(__name__)


class Loop(Answers):
    """Reads requests, has `threads` make the answers, and sends these. `on_error` writes what gunicorn answers."""

    def __init__(
        self,
        config: Config,
        threads: Threads,
        lifetime: Lifetime,
        max_body: int,
        is_quick: Callable[[Request], bool],
        on_error: Callable[..., None],
    ) -> None:
        super().__init__(threads, lifetime)
        self._config, self._max_body, self._is_quick, self._on_error = config, max_body, is_quick, on_error
        self.selector.register(threads.wakeup, EVENT_READ, threads.silence)

    def turn(self, timeout: float) -> None:
        """Wait for what happens next, for so many seconds at most, and do what it asks for."""
        ready = self.selector.select(timeout if self._threads.sleep() else 0)
        for connection in self._threads.done():  # first, as who has its answer may ask for the next one
            self._do(self._after_thread, connection)
        for key, events in ready:
            if isinstance(key.data, Connection):
                self._do(self._on_event, key.data, events)
            else:
                key.data()

    def expire(self) -> None:
        """End what has taken too long, and who makes the process hold too much. Costs a look at each connection."""
        now = time.monotonic()
        for connection in [each for each in self.connections if each.deadline < now]:
            self._do(self._give_up, connection, 408, "Request Timeout")
        for connection in self.holders(limits.MAX_HELD):
            self._do(self._give_up, connection, 503, "Service Unavailable", TOO_BUSY)

    def _do(self, action: Callable[..., None], connection: Connection, *arguments: Any) -> None:
        """Lose this connection, and no other, if what is to be done with it fails."""
        try:
            action(connection, *arguments)
        except BlockingIOError:
            pass
        except OSError:  # the client is gone
            self._lose(connection)
        except Exception:
            log.exception("Error on a connection")
            self._lose(connection)

    def _give_up(self, connection: Connection, *answer: Any) -> None:
        if connection.stage in {Stage.HEAD, Stage.BODY}:
            return self._reject(connection, *answer)
        if connection.stage is Stage.SPOOLING and not connection.is_lost:
            refuse(connection, 503, "Service Unavailable", NO_ROOM)
            connection.outlet.flush()
            connection.sock.shutdown(SHUT_WR)
        return self._lose(connection)

    def _on_event(self, connection: Connection, events: int) -> None:
        if events & EVENT_WRITE and connection.stage is Stage.SENDING:
            self._send(connection)
        if events & connection.events & EVENT_READ and connection.stage is not Stage.CLOSED:
            self._receive(connection)

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
        if connection.stage is Stage.IDLE:
            connection.enter(Stage.HEAD, limits.HEAD_WITHIN)
        if connection.stage is Stage.HEAD:
            self._take_head(connection)
        else:
            self._take_body(connection)

    def _take_head(self, connection: Connection) -> None:
        try:
            is_whole = connection.take_head(self._config)
        except (NoMoreData, StopIteration):
            return self.close(connection)
        except Exception as error:
            refuse_error(connection, error, self._on_error)
            return self._say_last(connection)
        if not is_whole:
            if len(connection.received) > limits.MAX_HEAD:
                return self._reject(connection, 431, "Request Header Fields Too Large")
            return self._read_on(connection)
        assert connection.request
        connection.is_quick = self._is_quick(connection.request)
        if not connection.expect_body(self._max_body):
            return self._submit(connection)
        connection.enter(Stage.BODY, limits.BODY_WITHIN)
        if connection.wants_to_continue() and not connection.received:
            connection.outlet.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.outlet.flush()
            connection.outlet.sent = 0
        return self._advance(connection)

    def _take_body(self, connection: Connection) -> None:
        self.spooled += connection.take_body()
        assert connection.source
        assert connection.end
        connection.allow_for(connection.source.size)
        if connection.end.is_malformed:
            return self._reject(connection, 400, "Bad Request", "Malformed chunks")
        if self.spooled > limits.MAX_SPOOLED:
            return self._reject(connection, 503, "Service Unavailable", TOO_BUSY)
        if connection.source.unwritten:
            connection.stage = Stage.SPOOLING  # and the deadline of the body stays
            return self._threads.spool(connection)
        return self._after_body(connection)

    def _after_thread(self, connection: Connection) -> None:
        if connection.is_lost:
            self.close(connection)
        elif connection.stage is Stage.WORKING:
            self._after_work(connection)
        elif connection.is_spooled:
            self._after_body(connection)
        else:
            self._reject(connection, 503, "Service Unavailable", NO_ROOM)

    def _after_body(self, connection: Connection) -> None:
        """All that was received of a body is kept."""
        if connection.is_whole:
            return self._submit(connection)
        connection.stage = Stage.BODY
        if connection.received:
            return self._advance(connection)
        return self._read_on(connection)
