"""One client's connection: what was received of its next request, and what waits to be sent to it."""

import math
import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto

from gunicorn.config import Config
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.message import Request

from webapp.web.server.framing import END_OF_HEAD, ChunkedEnd, LengthEnd, Received
from webapp.web.server.limits import BEGINNING, KEPT_FOR, OUTLET, SLOWEST


class Stage(Enum):
    """What a connection waits for."""

    IDLE = auto()  # the first byte of a request
    HEAD = auto()
    BODY = auto()
    WORKING = auto()  # a thread, which alone may touch it meanwhile
    SENDING = auto()  # the client, which has not read enough of its answer for the next piece
    LINGERING = auto()  # the client, which has its last answer and is to hang up
    CLOSED = auto()


class Outlet:
    """What gunicorn and the app take for the socket: it keeps what is written until the client takes it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.waiting = bytearray()
        self.sent = 0  # bytes of this answer

    def sendall(self, data: bytes) -> None:
        """Keep these bytes, and send what is due once they are many."""
        self.waiting += data
        if len(self.waiting) >= OUTLET:
            self.flush()

    send = sendall

    def flush(self) -> bool:
        """Send what the client takes now; whether that was all. Raises OSError once the client is gone."""
        while self.waiting:
            try:
                sent = self._sock.send(self.waiting)
            except BlockingIOError:
                return False
            self.sent += sent
            del self.waiting[:sent]
        return True

    def gettimeout(self) -> float:
        """As a socket that never blocks has it."""
        return 0.0

    def getsockopt(self, *names: int) -> int:
        """Those of the socket."""
        return self._sock.getsockopt(*names)


class Connection:
    """The state of one connection. The loop owns it, but for the stage WORKING, in which a thread does."""

    def __init__(self, sock: socket.socket, peer: object, server: object, keepalive: float) -> None:
        self.sock, self.peer, self.server = sock, peer, server
        self.outlet = Outlet(sock)
        self.enter(Stage.IDLE, keepalive)
        self.retire_at = time.monotonic() + random.uniform(*KEPT_FOR)  # noqa: S311 - no secret
        self.received = bytearray()  # and belongs to no request yet
        self._searched = 0  # bytes of that, for the end of a head
        self.requests = 0
        self.request: Request | None = None
        self.source: Received | None = None
        self.end: LengthEnd | ChunkedEnd | None = None
        self.steps: Iterator[None] | None = None
        self.events = 0  # for which the loop has registered it
        self.is_ended = False  # nothing more comes from the client
        self.must_close = False  # after this answer
        self.is_lost = False  # nobody is there any more
        self.status = 0  # of the latest answer

    def take_head(self, config: Config) -> bool:
        """Parse the head of a request if it is there. Raises what gunicorn's parser raises."""
        found = END_OF_HEAD.search(self.received, max(0, self._searched - 2))  # its first two bytes may have been there
        self._searched = 0 if found else len(self.received)
        if not found:
            return False
        head = bytes(self.received[: found.end()])
        del self.received[: found.end()]
        self.requests += 1
        self.source = Received(head)
        self.request = Request(config, self.source, self.peer, self.requests)
        return True

    def expect_body(self, max_body: int) -> bool:
        """Whether a body follows, of which as much is received as is of use."""
        assert self.request
        reader = self.request.body.reader
        if isinstance(reader, ChunkedReader):
            self.end = ChunkedEnd(max_body)
        elif isinstance(reader, LengthReader) and reader.length:
            self.end = LengthEnd(reader.length, reader.length if reader.length <= max_body else BEGINNING)
        else:
            self.end = None
        return self.end is not None

    def take_body(self) -> bool:
        """Move what was received into the body; whether it is complete."""
        assert self.source
        assert self.end
        data = bytes(self.received)
        end = self.end.find(data)
        self.source.add(data if end is None else data[:end])
        del self.received[: len(data) if end is None else end]
        self.must_close |= self.end.is_cut
        if end is None:
            return False
        self.source.rewind()
        return True

    def wants_to_continue(self) -> bool:
        """Whether the client waits to be told that it may send its body; asks once."""
        assert self.request
        waits, self.request._expected_100_continue = self.request._expected_100_continue, False
        return bool(waits)

    def needs_loop(self) -> bool:
        """Whether there is anything to do for it before the client sends something."""
        return bool(
            self.steps or self.outlet.waiting or self.received or self.must_close or self.is_ended or self.is_lost
        )

    def enter(self, stage: Stage, within: float = math.inf) -> None:
        """Wait for something else, for so many seconds."""
        self.stage = stage
        self._allowance_ends = self.deadline = time.monotonic() + within

    def allow_for(self, size: int) -> None:
        """Let this stage last as long as so many bytes may take a slow client."""
        self.deadline = self._allowance_ends + size / SLOWEST

    def forget_request(self) -> None:
        """Be ready for the next one."""
        if self.source:
            self.source.close()
        self.request = self.source = self.end = self.steps = None
        self.outlet.sent = 0

    def close(self) -> None:
        """Close the socket, whatever it is in."""
        self.stage = Stage.CLOSED
        self.forget_request()
        with suppress(OSError):
            self.sock.close()
