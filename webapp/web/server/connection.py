"""One client's connection: what was received of its next request, and what waits to be sent to it."""

import logging
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
from webapp.web.server.limits import BEGINNING, BODY_WITHIN, KEPT_FOR, SLOWEST
from webapp.web.server.outlet import Outlet

log = logging.getLogger(__name__)

AS_FAR = 100  # bytes


class Stage(Enum):
    """What a connection waits for."""

    IDLE = auto()  # the first byte of a request
    HEAD = auto()
    BODY = auto()
    SPOOLING = auto()  # the thread that writes its body to a disk, which alone may touch that meanwhile
    WORKING = auto()  # a thread, which alone may touch it meanwhile
    SENDING = auto()  # the client, which has not read enough of its answer for the next piece
    LINGERING = auto()  # the client, which has its last answer and is to hang up
    CLOSED = auto()


class Connection:
    """The state of one connection. The loop owns it, but for the stages SPOOLING and WORKING."""

    def __init__(self, sock: socket.socket, peer: object, server: object, keepalive: float) -> None:
        self.sock, self.peer, self.server = sock, peer, server
        self.outlet = Outlet(sock)
        self._waited = 0.0  # seconds that the client of this answer was waited for, but for the present stage
        self.enter(Stage.IDLE, keepalive)
        self.retire_at = time.monotonic() + random.uniform(*KEPT_FOR)  # noqa: S311 - no secret
        self.received = bytearray()  # and belongs to no request yet
        self._searched = 0  # bytes of it, for the end of a head
        self._refused = b""  # the beginning of a head that was refused
        self.requests = 0
        self.request: Request | None = None
        self.source: Received | None = None
        self.end: LengthEnd | ChunkedEnd | None = None
        self.is_quick = False  # to answer, most likely
        self.is_whole = True  # its request was received to the end
        self.is_spooled = True  # as far as it was written; False where that failed
        self.steps: Iterator[None] | None = None
        self.events = 0  # for which the loop has registered it
        self.is_ended = False  # nothing more comes from the client
        self.must_close = False  # after this answer
        self.is_lost = False  # nobody is there any more
        self.status = 0  # of the latest answer

    @property
    def held(self) -> int:
        """How many bytes it makes the process hold in memory, about."""
        body = self.source.in_memory if self.source else 0
        return len(self.received) + len(self.outlet.waiting) + body

    @property
    def beginning(self) -> bytes:
        """As much of a request as tells what it asks for, where it is not there as a whole, or was refused."""
        return self._refused or bytes(self.received[:AS_FAR])

    @property
    def is_sending(self) -> bool:
        """Whether the client has not come to the end of its request."""
        return self.end is not None and (self.end.is_cut or not self.is_whole)

    def take_head(self, config: Config) -> bool:
        """Parse the head of a request if it is there. Raises what gunicorn's parser raises."""
        found = END_OF_HEAD.search(self.received, self._searched)
        if not found:
            self._searched = max(0, len(self.received) - 2)
            return False
        self._searched = 0
        head = bytes(self.received[: found.end()])
        del self.received[: found.end()]
        self.requests += 1
        self.source = Received(head)
        self._refused = head[:AS_FAR]
        self.request = Request(config, self.source, self.peer, self.requests)
        self._refused = b""
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
        self.is_whole = self.end is None
        return not self.is_whole

    def take_body(self) -> int:
        """Move what was received into the body; how many bytes that was."""
        assert self.source
        assert self.end
        data = bytes(self.received)
        end = self.end.find(data)
        size = len(data) if end is None else end
        self.source.add(data[:size])
        del self.received[:size]
        self.is_whole = end is not None
        self.must_close |= self.is_whole and self.end.is_cut  # and only then may more be thrown away
        return size

    def spool(self) -> None:
        """Write to the disk what has come of a long body, or be done with it if the client is. Never raises."""
        assert self.source
        try:
            self.source.discard() if self.is_lost else self.source.write()
        except OSError as error:
            self.is_spooled = False
            log.error("What somebody sends cannot be kept in a temporary file: %s", error)

    def wants_to_continue(self) -> bool:
        """Whether the client waits to be told that it may send its body; asks once."""
        assert self.request
        waits, self.request._expected_100_continue = self.request._expected_100_continue, False
        return bool(waits)

    def needs_loop(self) -> bool:
        """Whether there is anything to do for it before the client sends something."""
        return bool(
            self.steps
            or self.outlet.waiting
            or self.received
            or self.must_close
            or self.is_ended
            or self.is_lost
            or self.stage is Stage.SPOOLING
        )

    def enter(self, stage: Stage, within: float = math.inf) -> None:
        """Wait for something else, for so many seconds."""
        self.stage, self._entered = stage, time.monotonic()
        self._allowance_ends = self.deadline = self._entered + within

    def enter_sending(self) -> None:
        """Wait for the client, which has its time for all of an answer, not for each piece."""
        self.enter(Stage.SENDING, BODY_WITHIN - self._waited)
        self.allow_for(self.outlet.sent)

    def enter_working(self) -> None:
        """Wait for a thread."""
        if self.stage is Stage.SENDING:
            self._waited += time.monotonic() - self._entered
        self.enter(Stage.WORKING)

    def allow_for(self, size: int) -> None:
        """Let this stage last as long as so many bytes may take a slow client."""
        self.deadline = self._allowance_ends + size / SLOWEST

    def forget_request(self) -> None:
        """Be ready for the next one. What is on a disk is closed by a thread."""
        if self.source and not self.source.is_on_disk:
            self.source.discard()
        self.request = self.source = self.end = self.steps = None
        self.is_whole = self.is_spooled = True
        self._waited, self.outlet.sent = 0.0, 0

    def close(self) -> None:
        """Close the socket, whatever it is in."""
        self.stage = Stage.CLOSED
        with suppress(OSError):
            self.sock.close()
