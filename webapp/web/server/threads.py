"""The threads in which the app runs: always as many, so that each keeps its connection to the database."""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from webapp.web.server.connection import Connection


class Threads:
    """Calls `work` with connections, each in one of so many threads, and gives them back to the loop."""

    def __init__(self, count: int, work: Callable[[Connection], None]) -> None:
        self._work = work
        self._waiting: SimpleQueue[Connection | None] = SimpleQueue()
        self._done: deque[Connection] = deque()
        self.wakeup, self._bell = os.pipe()  # `wakeup` is readable when there is something in `done`
        os.set_blocking(self.wakeup, False)
        os.set_blocking(self._bell, False)
        self._is_asleep = False
        self._threads = [threading.Thread(target=self._run, name=f"web-{number}") for number in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, connection: Connection) -> None:
        """Let a thread work on it; it is among `done` afterwards."""
        self._waiting.put(connection)

    @property
    def queued(self) -> int:
        """How many wait for a thread."""
        return self._waiting.qsize()

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

    def _run(self) -> None:
        while connection := self._waiting.get():
            self._work(connection)
            self._done.append(connection)
            # An answer that is on its way asks for nothing before its client does. Whether that has, is asked after
            # the line above: either this thread sees what came meanwhile, or the loop sees that the thread is done.
            if self._is_asleep and connection.needs_loop():
                self._is_asleep = False
                self.ring()
