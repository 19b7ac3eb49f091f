"""SQLite's one write lock, shared fairly by all processes of the site.

SQLite lets one connection write at a time, and its own way of waiting is to look again after up to 100 ms: whoever
takes the lock again a moment after giving it back, as an import does, is hardly ever found without it. Here a writer
that has to wait says so, by a lock on a file beside the database, and looks every few milliseconds; a run of a task,
which writes for as long as it takes, begins no transaction while somebody waits. Where nobody does, that costs a run
two system calls for each transaction, and everybody else nothing.

The operating system gives a lock back when its process is killed, so nobody waits for the dead.
"""

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

LOOK_EVERY = 0.004  # seconds, while somebody else writes
GIVE_WAY_AT_MOST = 0.25  # seconds for which a run lets people go first, before each of its transactions
GIVE_WAY_TO_RUNS = 0.01  # seconds: two looks of another run, which finds the lock free in one of them

Result = TypeVar("Result")


class _Thread(threading.local):
    """What this thread does when somebody else writes."""

    is_run = False
    is_impatient = False


_this = _Thread()


@contextmanager
def as_run() -> Iterator[None]:
    """Begin what is written in the block as a run does: after whoever else is waiting to write."""
    _this.is_run = True
    try:
        yield
    finally:
        _this.is_run = False


@contextmanager
def without_waiting() -> Iterator[None]:
    """Raise OperationalError ("database is locked") in the block at once where somebody else is writing."""
    _this.is_impatient = True
    try:
        yield
    finally:
        _this.is_impatient = False


def waits() -> bool:
    """Whether what this thread writes now waits where somebody else is writing."""
    return not _this.is_impatient


class Connection(sqlite3.Connection):
    """A connection whose statements wait for the write lock fairly. Made by `connecting`."""

    path: str
    patience: Callable[[], float]

    def cursor(self, factory: Any = None) -> Any:
        """A cursor whose statements wait so."""
        return super().cursor(factory or _Cursor)


def connecting(path: str, patience: Callable[[], float]) -> Callable[..., Connection]:
    """A `factory` for sqlite3.connect. `patience` says for how many seconds a statement waits at most.

    sqlite3's own `timeout` must be 0: it would wait before this does.
    """
    return type("Connection", (Connection,), {"path": path, "patience": staticmethod(patience)})


class _Cursor(sqlite3.Cursor):
    connection: Connection

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run a statement. Where somebody else writes, it waits, and raises OperationalError after `patience`."""
        if _this.is_run and sql.startswith("BEGIN"):
            _give_way(self.connection.path)
        try:
            return super().execute(sql, parameters)
        except sqlite3.OperationalError as error:
            # In a transaction the lock is held already, so what is busy then is not for us to wait for.
            if not _is_busy(error) or self.connection.in_transaction or _this.is_impatient:
                raise
        return self._wait(lambda: super(_Cursor, self).execute(sql, parameters))

    def _wait(self, execute: Callable[[], Result]) -> Result:
        until = time.monotonic() + self.connection.patience()
        with _said(self.connection.path):
            while True:
                time.sleep(random.uniform(LOOK_EVERY / 2, LOOK_EVERY))  # noqa: S311 - so that two do not keep step
                if _this.is_run:
                    _give_way(self.connection.path, to_runs=False)
                try:
                    return execute()
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() > until:
                        raise


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


# Who waits


def _waiting(path: str, runs: bool) -> str:
    return f"{path}-waiting-{'runs' if runs else 'people'}"


@contextmanager
def _said(path: str) -> Iterator[None]:
    """Say that this thread waits to write. On a full disk it may not be able to, and waits all the same."""
    with ExitStack() as stack:
        with suppress(OSError):
            file = stack.enter_context(_opened(_waiting(path, runs=_this.is_run)))
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _give_way(path: str, to_runs: bool = True) -> None:
    """Let those write who wait for that, for GIVE_WAY_AT_MOST seconds at the longest."""
    until = time.monotonic() + GIVE_WAY_AT_MOST
    while _does_anybody_wait(path, runs=False) and time.monotonic() < until:
        time.sleep(LOOK_EVERY / 2)
    if to_runs and _does_anybody_wait(path, runs=True):
        time.sleep(GIVE_WAY_TO_RUNS)


def _does_anybody_wait(path: str, runs: bool) -> bool:
    try:
        with _opened(_waiting(path, runs)) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # where this file cannot be made, nobody can have locked it
    return False


@contextmanager
def _opened(path: str) -> Iterator[int]:
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)
