"""The error collector: a logging handler that hands errors on, grouped by their kind, without holding anybody up.

A thread that logs an error only adds to a table in memory. Another thread, begun with the first error, gives the table
to a *sink*, which may wait for the database or the network. What a sink refuses, by raising, is given to it again. The
log has each error all the same, so nothing of this is worth an error of its own.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.util import Finalize
from weakref import WeakSet

from webapp.lib import logs
from webapp.lib.error_description import Description, Kind, describe, kind_of
from webapp.lib.error_occurrences import TOO_MANY, Occurrences, OccurrenceTable
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between the first error and the call of the sink: others like it may follow
AGAIN_AFTER = 10.0  # seconds, where the sink has failed
LAST_WORDS_WITHIN = 2.0  # seconds that the end of a process may wait for the sink, and a fork for its end
ABOUT = ("request_id", "task_id", "kind", "attempt")  # of the fields of a line, what is handed on

_trouble = Outage(log, "Errors cannot be handed on", "Errors are handed on again")
_here = threading.local()  # `is_busy` in a thread that is about an error already

Sink = Callable[[Sequence[Occurrences]], object]


class ErrorCollector(logging.Handler):
    """Hands each error that is logged in this process, and those that it forks, on to a sink, seconds later.

    `of_process` is asked in the thread of the error for what else is told about it. At the end of a process, of
    whatever kind, it waits for LAST_WORDS_WITHIN at most.
    """

    def __init__(self, sink: Sink, of_process: Callable[[], dict[str, str]]) -> None:
        super().__init__(logging.ERROR)
        self._sink, self._of_process = sink, of_process
        self._begin_anew()
        _collectors.add(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count an error. Never raises, and waits for nothing but another thread that does just that."""
        if getattr(_here, "is_busy", False):
            return  # what goes wrong with telling of errors is not told
        _here.is_busy = True
        try:
            self._found.count(kind_of(record), lambda kind: self._describe(record, kind))
            if self._thread is None:
                self._begin()
            self._is_due.set()
        except Exception:
            self.handleError(record)  # says so on standard error, where logging itself does
        finally:
            _here.is_busy = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """As the standard library does, but for a standard error that is closed."""
        with suppress(Exception):
            super().handleError(record)

    def flush(self) -> None:
        """Wait until what there is has been handed on, for LAST_WORDS_WITHIN at most."""
        self.hand_on(LAST_WORDS_WITHIN)

    def hand_on(self, within: float) -> bool:
        """Let the sink have what there is, now; whether it took it within so many seconds."""
        self._is_done.clear()
        if self._thread is None or self._is_over or not (self._found or self._is_sinking.locked()):
            return not self._found
        self._hurry.set()
        return self._is_done.wait(within) and not self._found

    def stop(self) -> None:
        """Count no more, and forget what was not handed on."""
        self.setLevel(logging.CRITICAL + 1)
        self._is_over = True
        self._is_due.set()
        self._hurry.set()

    def _begin_anew(self) -> None:
        """A new process has none of its parent's threads, and tells of its own errors alone."""
        self._found, self._is_sinking, self._begins = OccurrenceTable(), threading.Lock(), threading.Lock()
        self._is_due, self._hurry, self._is_done = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._is_over, self._forking = False, threading.local()

    def _before_fork(self) -> None:
        """Fork while the sink holds no connection, which the child would close for both."""
        self._forking.holds = self._is_sinking.acquire(timeout=LAST_WORDS_WITHIN)

    def _after_fork(self) -> None:
        if self._forking.holds:
            self._is_sinking.release()

    def _describe(self, record: logging.LogRecord, kind: Kind) -> Description:
        if kind is TOO_MANY:
            return Description(kind, record.levelname, self._of_process())
        about = {name: str(value) for name, value in logs.fields_of(record).items() if name in ABOUT}
        return describe(record, kind, self._of_process() | about)

    def _begin(self) -> None:
        if self._begins.acquire(blocking=False):  # once in a process
            thread = threading.Thread(target=self._hand_on_for_good, name="error reports", daemon=True)
            try:
                thread.start()
            except BaseException:
                self._begins.release()  # the next error tries again
                raise
            self._thread = thread
            # The end of a child of multiprocessing runs this; that of any other process, logging.shutdown.
            Finalize(None, self.flush, exitpriority=100)

    def _hand_on_for_good(self) -> None:
        _here.is_busy = True  # an error of the sink is none to tell of
        pause = EVERY
        while not self._is_over:
            self._is_due.wait()
            self._hurry.wait(pause)
            self._hurry.clear()
            is_taken = self._hand_over()
            pause = EVERY if is_taken else AGAIN_AFTER
            if not (is_taken and self._found):
                self._is_done.set()

    def _hand_over(self) -> bool:
        with self._is_sinking:
            self._is_due.clear()
            found = self._found.take()
            if self._is_over or not found:
                return True
            try:
                self._sink(found)
            except Exception as error:
                _trouble.failed(error)
                self._found.put_back(found)
                self._is_due.set()
                return False
        _trouble.is_over()
        return True


_collectors: WeakSet[ErrorCollector] = WeakSet()


def _each(do: Callable[[ErrorCollector], object]) -> Callable[[], None]:
    def hook() -> None:
        for collector in list(_collectors):
            do(collector)

    return hook


os.register_at_fork(
    before=_each(ErrorCollector._before_fork),
    after_in_parent=_each(ErrorCollector._after_fork),
    after_in_child=_each(ErrorCollector._begin_anew),
)
