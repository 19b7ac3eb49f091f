"""SQLite's one write lock, shared fairly by all processes of the site.

SQLite lets one connection write at a time, and a connection that waits for the lock looks again after up to 100 ms: it
hardly ever finds it free while another, as an import does, takes it again a moment after releasing it. Here a writer
that has to wait says so, by a lock on a file beside the database, and looks every few milliseconds. A task's run, which
may write for long, begins no transaction while somebody waits. If nobody does, that costs a run two system calls for
each transaction, and others nothing.

The operating system releases the file's lock when a process is killed, so nobody gives way to the dead.
"""

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

POLL_EVERY = 0.004  # seconds, while another connection writes
POLL_AT_FIRST = 0.0005  # doubled with each poll: mostly it is a short write, as of another worker
YIELD_TO_PEOPLE = 0.25  # seconds at most for which a run lets people go first, before each of its transactions
YIELD_TO_RUNS = 0.01  # seconds: two polls of another run, which finds the lock free at one of them

Result = TypeVar("Result")


class _Thread(threading.local):
    """What this thread does while another connection writes."""

    is_run = False
    is_impatient = False


_this = _Thread()


@contextmanager
def as_run() -> Iterator[None]:
    """Let transactions of this thread that begin in the block wait for everyone else who is waiting to write."""
    _this.is_run = True
    try:
        yield
    finally:
        _this.is_run = False


@contextmanager
def without_waiting() -> Iterator[None]:
    """Raise OperationalError ("database is locked") in the block at once if another connection is writing."""
    _this.is_impatient = True
    try:
        yield
    finally:
        _this.is_impatient = False


def waits() -> bool:
    """Whether a write of this thread waits while another connection is writing."""
    return not _this.is_impatient


class Connection(sqlite3.Connection):
    """A connection whose statements wait for the write lock fairly. Made by `connecting`."""

    path: str
    timeout: Callable[[], float]

    def cursor(self, factory: type[sqlite3.Cursor] | None = None) -> sqlite3.Cursor:  # type: ignore[override]
        """A cursor whose statements wait so."""
        return super().cursor(factory or _Cursor)


def connecting(path: str, timeout: Callable[[], float]) -> type[Connection]:
    """A `factory` for sqlite3.connect. `timeout` returns for how many seconds a statement waits at most.

    sqlite3's own `timeout` must be 0: it would wait before this does.
    """
    made: type[Connection] = type("Connection", (Connection,), {"path": path, "timeout": staticmethod(timeout)})
    return made


class _Cursor(sqlite3.Cursor):
    connection: Connection

    def execute(self, sql: str, parameters: "SupportsLenAndGetItem[object] | Mapping[str, object]" = ()) -> Self:
        """Run a statement. It waits for the write lock, and raises OperationalError after the timeout."""
        if _this.is_run and sql.startswith("BEGIN"):
            _give_way(self.connection.path)
        try:
            return super().execute(sql, parameters)
        except sqlite3.OperationalError as error:
            # In a transaction this connection has the lock, and something else is busy: waiting would not help.
            if not _is_busy(error) or self.connection.in_transaction or _this.is_impatient:
                raise
        return self._wait(lambda: super(_Cursor, self).execute(sql, parameters))

    def _wait(self, execute: Callable[[], Result]) -> Result:
        until, pause = time.monotonic() + self.connection.timeout(), POLL_AT_FIRST
        with _announced(self.connection.path):
            while True:
                time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - so that two do not keep step
                pause = min(2 * pause, POLL_EVERY)
                if _this.is_run:
                    _give_way(self.connection.path, to_runs=False)
                try:
                    return execute()
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() > until:
                        raise


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


# The waiting writers


def _waiting(path: str, runs: bool) -> str:
    return f"{path}-waiting-{'runs' if runs else 'people'}"


@contextmanager
def _announced(path: str) -> Iterator[None]:
    """Announce that this thread waits to write. On a full disk that may fail, and it waits all the same."""
    with ExitStack() as stack:
        with suppress(OSError):
            file = stack.enter_context(_opened(_waiting(path, runs=_this.is_run)))
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _give_way(path: str, to_runs: bool = True) -> None:
    """Let waiting writers go first, for YIELD_TO_PEOPLE seconds at most."""
    until = time.monotonic() + YIELD_TO_PEOPLE
    while _is_awaited(path, by_runs=False) and time.monotonic() < until:
        time.sleep(POLL_EVERY / 2)
    if to_runs and _is_awaited(path, by_runs=True):
        time.sleep(YIELD_TO_RUNS)


def _is_awaited(path: str, by_runs: bool) -> bool:
    """Whether anybody waits for the write lock."""
    try:
        with _opened(_waiting(path, by_runs)) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # if this file cannot be made, nobody can have locked it
    return False


@contextmanager
def _opened(path: str) -> Iterator[int]:
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)
