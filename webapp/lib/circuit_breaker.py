"""A bulkhead and a circuit breaker between the threads of a web process and a database that may hang.

Without them one hanging database would soon hold every thread, also those that need no database.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from peewee import OperationalError

log = logging.getLogger(__name__)

AT_ONCE = 4  # threads of a process that may be waiting for the database
SPARE = 3  # threads besides, to say that the others wait
# Seconds in which nobody who is in comes any further, before whoever would have to queue is turned away; more where
# answers usually take long, by so many times their usual length. That is the longest lately, and forgotten slowly.
STUCK_AFTER = 0.75
CONNECTING = 3.0  # seconds instead, while somebody connects: that takes five answers, and nothing is heard in between.
# Not for the last spare thread, which is to be free within STUCK_AFTER for what needs no database.
STUCK_TIMES, USUAL_AT_MOST, RECKONED_FROM = 3, 1.0, 8
PATIENCE = 5.0  # seconds that anybody queues
PROBE_EVERY = 1.0  # seconds


class Unavailable(OperationalError):
    """The database was not asked, or was asked and has not answered in time. To ask again at once would not help."""


class _Stay(threading.local):
    """What this thread is inside for: a number of reasons, such as a query, or a transaction that is open."""

    reasons = 0
    asked_at = 0.0  # by time.monotonic()


class Bulkhead:
    """Lets AT_ONCE threads of this process wait for the database at a time, and none while it is known to hang.

    `probe` asks the database for anything and raises if it does not answer in time. It runs in a thread of its own
    from when `trip` is called, each PROBE_EVERY seconds, until it succeeds. Costs two locks a query.
    """

    def __init__(self, probe: Callable[[], object] = lambda: None, places: int = AT_ONCE) -> None:
        self._probe, self._free = probe, places
        self._queue = threading.Condition()
        self._stay = _Stay()
        self._moved_at = 0.0  # when somebody last came in or further, by time.monotonic()
        self._usual = 0.0  # seconds that an answer takes
        self._connecting = self._waiting = 0  # threads
        self._is_open = False
        self.tripped_at = 0.0  # by time.monotonic(); what was connected before then is not to be trusted

    @contextmanager
    def place(self) -> Iterator[None]:
        """Be inside while the block lasts. Raises Unavailable as `enter` does."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """Come in, or have one more reason to be. Raises Unavailable where the database hangs or nobody gets on."""
        if not self._stay.reasons:
            if self._is_open:
                raise Unavailable("the database does not answer")
            self._take_place()
        self._stay.reasons += 1
        self._stay.asked_at = time.monotonic()

    @contextmanager
    def place_to_connect(self) -> Iterator[None]:
        """Be inside while the block lasts, in which a connection is made. Raises Unavailable as `enter` does."""
        with self.place():
            self._count_connecting(1)
            try:
                yield
            finally:
                self._count_connecting(-1)

    def _count_connecting(self, more: int) -> None:
        with self._queue:
            self._connecting += more

    def stay(self) -> None:
        """Have one more reason to be inside: a transaction, in which nobody may be made to queue."""
        self._stay.reasons += 1

    def leave(self) -> None:
        """Have one reason less to be inside."""
        self._moved_at = now = time.monotonic()
        took = min(now - self._stay.asked_at, USUAL_AT_MOST)
        self._usual = max(took, self._usual + (took - self._usual) / RECKONED_FROM)
        self._stay.reasons -= 1
        if not self._stay.reasons:
            with self._queue:
                self._free += 1
                self._queue.notify()

    def trip(self) -> None:
        """Let nobody in until a probe has succeeded."""
        with self._queue:
            self.tripped_at = time.monotonic()
            if self._is_open:
                return
            self._is_open = True
            self._queue.notify_all()
        log.error("The database does not answer; requests that need it are answered with 503 until it does")
        threading.Thread(target=self._probe_until_it_answers, name="probe", daemon=True).start()

    def _take_place(self) -> None:
        end = time.monotonic() + PATIENCE
        with self._queue:
            is_last = self._waiting >= SPARE - 1
            self._waiting += 1
            try:
                while not self._free:
                    connecting = CONNECTING if self._connecting and not is_last else 0
                    stuck_after = max(STUCK_AFTER, STUCK_TIMES * self._usual, connecting)
                    left = min(self._moved_at + stuck_after, end) - time.monotonic()
                    if self._is_open or left <= 0:
                        raise Unavailable("the database answers nobody")
                    self._queue.wait(left)
            finally:
                self._waiting -= 1
            self._free -= 1
            self._moved_at = time.monotonic()

    def _probe_until_it_answers(self) -> None:
        begun = time.monotonic()
        while True:
            asked = time.monotonic()
            try:
                self._probe()
                break
            except Exception as error:
                log.debug("The database does not answer a probe: %s", error)
            time.sleep(max(0.0, asked + PROBE_EVERY - time.monotonic()))
        with self._queue:
            self._is_open = False
        log.warning("The database answers again, after %.1f s", time.monotonic() - begun)
