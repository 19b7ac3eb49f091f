"""A bulkhead with a circuit breaker, between the threads of a web process and a database that may hang.

Without it, one hanging database would soon hold every thread, also those that need no database.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from peewee import OperationalError

log = logging.getLogger(__name__)

PLACES = 4  # threads of a process that may wait for the database at a time
SPARE_THREADS = 3  # besides these, to answer that the database is busy
# A thread that queues is turned away once nobody inside has made progress for STUCK_AFTER seconds, or for STUCK_TIMES
# the usual time of an answer, if that is longer. The usual time is the longest of late; it decays over DECAY answers.
STUCK_AFTER = 0.75
STUCK_TIMES, USUAL_MAX, DECAY = 3, 1.0, 8
# Seconds, in place of STUCK_AFTER, while a thread connects: that takes five round trips, and shows no progress until
# it is done. The last spare thread does not wait for that long: it is needed for requests without a database.
STUCK_CONNECTING_AFTER = 3.0
QUEUE_TIMEOUT = 5.0  # seconds for which a thread queues at most
PROBE_EVERY = 1.0  # seconds


class Unavailable(OperationalError):
    """The database was not asked, or did not answer in time. Asking again at once would not help."""


class _Stay(threading.local):
    """Why this thread is inside: the number of its reasons, such as a query, or an open transaction."""

    reasons = 0
    asked_at = 0.0  # by time.monotonic()


class Bulkhead:
    """Lets a few threads of this process wait for the database at a time, and none while it is known to hang.

    `probe` asks the database anything, and raises if it does not answer in time. After `trip` it runs in a thread of
    its own, every PROBE_EVERY seconds, until it succeeds. Costs two locks a query.
    """

    def __init__(self, probe: Callable[[], object] = lambda: None, places: int = PLACES) -> None:
        self._probe, self._free = probe, places
        self._queue = threading.Condition()
        self._stay = _Stay()
        self._progress_at = 0.0  # when a thread last came in or got an answer, by time.monotonic()
        self._usual = 0.0  # seconds that an answer takes
        self._connecting = self._waiting = 0  # threads
        self._is_open = False
        self.tripped_at = 0.0  # by time.monotonic(); connections made before then are not to be trusted

    @contextmanager
    def place(self) -> Iterator[None]:
        """Be inside within the block. Raises Unavailable as `enter` does."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """Come in, or have one more reason to be in. Raises Unavailable if the database hangs or the queue is stuck."""
        if not self._stay.reasons:
            if self._is_open:
                raise Unavailable("the database does not answer")
            self._take_place()
        self._stay.reasons += 1
        self._stay.asked_at = time.monotonic()

    @contextmanager
    def place_to_connect(self) -> Iterator[None]:
        """Be inside within the block, which makes a connection. Raises Unavailable as `enter` does."""
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
        """Have one more reason to be in: a transaction, within which no query may have to queue."""
        self._stay.reasons += 1

    def leave(self) -> None:
        """Have one reason less to be in; the last one frees the place."""
        self._progress_at = now = time.monotonic()
        took = min(now - self._stay.asked_at, USUAL_MAX)
        self._usual = max(took, self._usual + (took - self._usual) / DECAY)
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
        end = time.monotonic() + QUEUE_TIMEOUT
        with self._queue:
            is_last = self._waiting >= SPARE_THREADS - 1
            self._waiting += 1
            try:
                while not self._free:
                    connecting = STUCK_CONNECTING_AFTER if self._connecting and not is_last else 0
                    stuck_after = max(STUCK_AFTER, STUCK_TIMES * self._usual, connecting)
                    left = min(self._progress_at + stuck_after, end) - time.monotonic()
                    if self._is_open or left <= 0:
                        raise Unavailable("the database answers nobody")
                    self._queue.wait(left)
            finally:
                self._waiting -= 1
            self._free -= 1
            self._progress_at = time.monotonic()

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
