"""Resilience: how an outage of the database is recognized, and which statements are retried, and how often."""

import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from peewee import InterfaceError, OperationalError, PeeweeException

from webapp.db import postgres, sqlite_lock
from webapp.db.bulkhead import Unavailable
from webapp.db.connections import forget_connection
from webapp.db.handle import database, is_postgres
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)

# Shared by all threads and forked processes: the log says it once a minute, however many notice.
away = Outage(log, "The database is unavailable", "The database answers again")

# https://www.sqlite.org/rescode.html
UNAVAILABLE = {getattr(sqlite3, f"SQLITE_{name}") for name in "BUSY LOCKED READONLY IOERR FULL CANTOPEN".split()}

# Errors of these classes mean an outage where the driver gives no code.
AWAY = InterfaceError, OperationalError, psycopg.InterfaceError, psycopg.OperationalError, sqlite3.OperationalError

Result = TypeVar("Result")


def persistently(write: Callable[[], Result]) -> Result:
    """Returns what `write` returns; retries it once, on a new connection, if the kept one has died.

    For writes that may run twice: the first try may have been committed, and only its answer been lost. A thread keeps
    its connection, and notices only at the next query that the server has closed it. A server that did not answer in
    time, or that gave a statement up, as where somebody has locked a table, is not asked again.
    """
    try:
        result = write()
    except PeeweeException as error:
        if not is_postgres() or not is_unavailable(error) or _timed_out(error):
            raise
        forget_connection()
        result = write()
    away.is_over()
    return result


def tirelessly(write: Callable[[], Result], gives_up: Callable[[], bool]) -> Result:
    """Returns what `write` returns; retries it for as long as the database is unavailable, or until `gives_up`.

    For writes that may run twice, in a process for which nobody waits. It is retried at most two seconds after the
    database is back, or seven if that swallowed connections in place of refusing them.
    """
    pause = 0.1
    while True:
        try:
            result = write()
        except PeeweeException as error:
            if not is_unavailable(error):
                raise
            forget_connection()
            away.failed(error)
            if gives_up():
                raise
        else:
            away.is_over()
            return result
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - nobody gains by guessing it
        pause = min(2 * pause, 2.0)


def is_unavailable(error: BaseException | None) -> bool:
    """Whether an error means that the database cannot be reached or written now, rather than that the query is wrong.

    This includes the error of a rollback that failed because of such an error.
    """
    while isinstance(error, (PeeweeException, psycopg.Error, sqlite3.Error)):
        if _says_unavailable(error):
            return True
        if not isinstance(error, AWAY):
            return False
        error = error.__context__
    return False


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error, which Peewee wraps in one of its own; in two, if connecting failed."""
    while orig := getattr(error, "orig", None):
        error = orig
    return error


def _says_unavailable(error: BaseException) -> bool:
    driver = driver_error(error)
    if isinstance(driver, Unavailable):
        return True
    if not is_postgres():
        return getattr(driver, "sqlite_errorcode", 0) & 0xFF in UNAVAILABLE
    if sqlstate := getattr(driver, "sqlstate", None):
        return postgres.is_lost(sqlstate)
    return isinstance(error, AWAY)


def _timed_out(error: BaseException | None) -> bool:
    """Whether an answer did not come in time; this error may be that of a rollback which failed because of it."""
    while error is not None:
        if isinstance(error, (Unavailable, psycopg.errors.ConnectionTimeout, psycopg.errors.QueryCanceled)):
            return True
        error = error.__context__
    return False


@contextmanager
def writing_if_free() -> Iterator[None]:
    """For a write that nobody would miss: if the database cannot be written at once, the block ends without it."""
    try:
        with sqlite_lock.without_waiting():
            yield
    except PeeweeException as error:
        if not is_unavailable(error):
            raise
        log.debug("Something that nobody will miss was not written: %s", error)


def close_if_broken() -> None:
    """Drop this thread's connection if it is broken or still in a transaction; the next query opens a new one.

    Call it after each request, and after each run of a task.
    """
    db = database.obj
    if db.is_closed():
        return
    if db.in_transaction() or not db.is_connection_usable() or getattr(db.connection(), "closed", False):
        forget_connection()
