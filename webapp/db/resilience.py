"""What to do while the database is not there: how to tell, how often to ask again, and when to begin anew."""

import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from peewee import InterfaceError, OperationalError, PeeweeException

from webapp.db import database, forget_connection, is_postgres, postgres, sqlite_lock
from webapp.lib.circuit_breaker import Unavailable
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)

# For whoever finds out, in any process: the log says it once a minute, however many ask.
away = Outage(log, "The database is unavailable", "The database answers again")

# https://www.sqlite.org/rescode.html
UNAVAILABLE = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip

# What may say so by its name, where there is no code.
AWAY = InterfaceError, OperationalError, psycopg.InterfaceError, psycopg.OperationalError, sqlite3.OperationalError

Result = TypeVar("Result")


def persistently(write: Callable[[], Result]) -> Result:
    """What `write` returns, on a fresh connection if the kept one has died; for writes that may be tried twice.

    A thread keeps its connection, and finds out that the server has closed it only by using it. One that did not
    answer in time is not asked again. A first try may have been committed even so, and only its answer been lost.
    """
    try:
        result = write()
    except PeeweeException as error:
        if not is_postgres() or not is_unavailable(error) or _has_waited(error):
            raise
        forget_connection()
        result = write()
    away.is_over()
    return result


def tirelessly(write: Callable[[], Result], gives_up: Callable[[], bool]) -> Result:
    """What `write` returns, tried again for as long as the database is unavailable, unless `gives_up` says so.

    For writes that may be tried twice, in a process that nobody waits for. It is tried about two seconds after the
    database is back at the latest, or seven where it does not refuse connections but swallows them.
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
    """Whether an error says that the database cannot be reached or written now, and nothing about what was asked.

    So does that of a rollback which failed because of such an error.
    """
    while isinstance(error, (PeeweeException, psycopg.Error, sqlite3.Error)):
        if _says_unavailable(error):
            return True
        if not isinstance(error, AWAY):
            return False
        error = error.__context__
    return False


def driver_error(error: BaseException) -> Any:
    """What the driver has raised, of which Peewee has made an error of its own, or where it failed to connect, two."""
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
        return postgres.lost(sqlstate)
    return isinstance(error, AWAY)


def _has_waited(error: BaseException | None) -> bool:
    """Whether it comes, perhaps by way of a rollback that failed, of an answer that was waited for in vain."""
    while error is not None:
        if isinstance(error, (Unavailable, psycopg.errors.ConnectionTimeout)):
            return True
        error = error.__context__
    return False


@contextmanager
def writing_if_free() -> Iterator[None]:
    """For a write that nobody would miss: where the database cannot be written at once, the block ends without it."""
    try:
        with sqlite_lock.without_waiting():
            yield
    except PeeweeException as error:
        if not is_unavailable(error):
            raise
        log.debug("Something that nobody will miss was not written: %s", error)


def close_if_broken() -> None:
    """Drop this thread's connection if its last transaction did not end well, so that the next query opens a new one.

    Call it where a unit of work ends or has failed: after a request, after a task.
    """
    db = database.obj
    if db.is_closed():
        return
    if db.in_transaction() or not db.is_connection_usable() or getattr(db.connection(), "closed", False):
        forget_connection()
