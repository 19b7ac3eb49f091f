"""The threads in which the app runs: always as many, so that each keeps its connection to the database.

One more writes and closes the temporary files of long bodies: a disk that is full, slow or hangs holds those who send
such a body, and nobody else.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from webapp.web.server.connection import Connection
from webapp.web.server.framing import Received
from webapp.web.server.line import Line


class Threads:
    """Calls `work` with connections, each in one of so many threads, and gives them back to the loop."""

    def __init__(self, count: int, work: Callable[[Connection], None]) -> None:
        self._waiting = Line()
        self._spooling: SimpleQueue[Connection | Received | None] = SimpleQueue()
        self._done: deque[Connection] = deque()
        self.wakeup, self._bell = os.pipe()  # `wakeup` is readable when there is something in `done`
        os.set_blocking(self.wakeup, False)
        os.set_blocking(self._bell, False)
        self._is_asleep = False
        self._threads = [
            threading.Thread(target=self._run, args=(self._waiting.get, work), name=f"web-{number}")
            for number in range(count)
        ]
        spooler = threading.Thread(target=self._run, args=(self._spooling.get, Connection.spool), name="web-spooler")
        for thread in (*self._threads, spooler):
            thread.start()

    def submit(self, connection: Connection) -> None:
        """Let a thread work on it; it is among `done` afterwards."""
        self._waiting.put(connection, connection.is_quick and not connection.steps)

    def spool(self, connection: Connection) -> None:
        """Have what came of its body written; it is among `done` afterwards."""
        self._spooling.put(connection)

    def discard(self, source: Received) -> None:
        """Have a body closed that is on a disk."""
        self._spooling.put(source)

    @property
    def queued(self) -> int:
        """How many wait for a thread."""
        return len(self._waiting)

    def sleep(self) -> bool:
        """The loop is about to wait for `wakeup`; False if there is something in `done` already."""
        self._is_asleep = True
        return not self._done

    def done(self) -> list[Connection]:
        """What the threads are done with since the last call."""
        self._is_asleep = False
        found = []
        while self._done:
            found.append(self._done.popleft())
        return found

    def ring(self) -> None:
        """Wake the loop."""
        with suppress(BlockingIOError):  # it is being woken
            os.write(self._bell, b"\0")

    def silence(self) -> None:
        """Take back what woke the loop."""
        with suppress(BlockingIOError):
            os.read(self.wakeup, 4096)

    def stop(self) -> None:
        """Let each thread end after what it works on now."""
        for _ in self._threads:
            self._waiting.put(None)
        self._spooling.put(None)

    def _run(self, next_one: Callable[[], Connection | Received | None], work: Callable[[Connection], None]) -> None:
        while connection := next_one():
            if isinstance(connection, Received):
                connection.discard()
                continue
            work(connection)
            self._done.append(connection)
            # An answer that is on its way asks for nothing before its client does. Whether that has, is asked after
            # the line above: either this thread sees what came meanwhile, or the loop sees that the thread is done.
            if self._is_asleep and connection.needs_loop():
                self._is_asleep = False
                self.ring()
