"""Deadlines: how long an exchange with another machine may take in all, whatever that machine does.

    with deadline(20):
        sock = connect(host, port)
        …

A socket's own timeout is for each read, so a peer that sends one byte now and then holds its reader forever. A deadline
is a total: when time is up, the connections that it watches are shut down, reads and writes on them return, and the
block raises TimeoutError. It uses no signal, so it works in any thread; it cannot interrupt other waits.
"""

import heapq
import os
import socket
import threading
import time
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Self
from weakref import ref


class Deadline:
    """A context manager, to be used once. Within another one of the same thread, the earlier deadline counts.

    An Exception that leaves the block after the deadline is raised as a TimeoutError from it. A block that ends without
    an exception raises none. Costs some ten microseconds, and a file descriptor for each watched connection.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = 0.0
        self._outer: Deadline | None = None
        self._is_over = self._has_passed = False
        self._watched: list[int] = []  # descriptors of our own: the connection's may be another file's by then

    def __enter__(self) -> Self:
        self._outer = _here.current()
        self._at = time.monotonic() + self.seconds
        if self._outer:
            self._at = min(self._at, self._outer._at)
        _here.innermost = ref(self)
        _watchdog.expect(self)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        _here.innermost = ref(self._outer) if self._outer else None
        with _watchdog.lock:
            self._is_over = True
            self._let_go()
        # On a busy machine the socket's own timeout may come before the watchdog, and looks like a lost connection.
        is_late = self._has_passed or time.monotonic() >= self._at
        if is_late and isinstance(error, Exception) and not isinstance(error, TimeoutError):
            raise TimeoutError(self._words()) from error

    def __del__(self) -> None:
        # A signal handler may raise before the first line of __exit__.
        self._let_go()

    @property
    def left(self) -> float:
        """Seconds that are left. Raises TimeoutError if there are none."""
        left = self._at - time.monotonic()
        if self._has_passed or left <= 0:
            raise TimeoutError(self._words())
        return left

    def watch(self, sock: socket.socket) -> None:
        """Shut this connection down when time is up, even if it is wrapped in TLS or closed by then.

        If it is closed within the block, its peer sees that only when the block ends.
        """
        with _watchdog.lock:
            self._watched.append(os.dup(sock.fileno()))
            if self._has_passed:
                self._shut_down()

    def _shut_down(self) -> None:
        self._has_passed = True
        for descriptor in self._watched:
            with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as sock:  # it may have ended by itself
                sock.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        while self._watched:
            os.close(self._watched.pop())

    def _words(self) -> str:
        return f"no answer within {self.seconds:g} s"


deadline = Deadline  # as it reads in a `with`


class _Here(threading.local):
    """This thread's deadlines, weakly: one whose __exit__ never ran disappears by itself."""

    innermost: "ref[Deadline] | None" = None

    def current(self) -> Deadline | None:
        return self.innermost() if self.innermost else None


_here = _Here()


def current() -> Deadline:
    """The innermost deadline of this thread. Raises RuntimeError if there is none: no connection waits forever."""
    found = _here.current()
    if found is None:
        raise RuntimeError("a connection to another machine needs a deadline around it")
    return found


class _Watchdog:
    """One thread in each process, started with the first deadline, that sleeps until the next one is due."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self._expected: list[tuple[float, int, Deadline]] = []  # a heap; ended ones stay in it until they are due
        self._numbers = count()
        self._thread: threading.Thread | None = None

    def expect(self, limit: Deadline) -> None:
        """Watch one more deadline. Starts the thread with the first."""
        with self.lock:
            heapq.heappush(self._expected, (limit._at, next(self._numbers), limit))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            elif self._expected[0][2] is limit:
                self.lock.notify()

    def _watch(self) -> None:
        with self.lock:
            while True:
                now = time.monotonic()
                while self._expected and (self._expected[0][2]._is_over or self._expected[0][0] <= now):
                    limit = heapq.heappop(self._expected)[2]
                    if not limit._is_over:
                        limit._shut_down()
                    del limit
                self.lock.wait(self._expected[0][0] - now if self._expected else None)


_watchdog = _Watchdog()


def _forget() -> None:
    """A forked child has none of its parent's threads, and none of their deadlines."""
    global _watchdog
    _watchdog, _here.innermost = _Watchdog(), None


os.register_at_fork(after_in_child=_forget)
