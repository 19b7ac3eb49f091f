"""Startup: before a process begins, it checks that its database is there and has the schema that it needs.

It waits for a database that may come back by itself. What only an operator can mend ends the process with one line.
"""

import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from peewee import PeeweeException
from redis import RedisError

from webapp.db import readiness
from webapp.db.connections import forget_connection
from webapp.db.handle import database, is_postgres
from webapp.db.resilience import away, driver_error, is_unavailable
from webapp.lib.environment import CannotStart, complaint
from webapp.lib.outage import one_line

MAX_PAUSE = 5.0  # seconds

# Another file, folder or owner is needed: https://www.sqlite.org/rescode.html
_HOPELESS = {getattr(sqlite3, f"SQLITE_{name}") for name in "PERM AUTH READONLY CANTOPEN NOTADB CORRUPT".split()}
# libpq gives no code for a refused connection, only the server's words. If these are not in English, the process
# waits, as for any other outage.
_REFUSED = re.compile(
    r'password authentication failed|no password supplied|no pg_hba\.conf entry|(database|role) "[^"]*" does not exist'
    r"|authentication failed for user|is not permitted to log in|permission denied for database"
)


def wait_for_database() -> None:
    """Return once the database answers and has the schema. The log says once a minute what it waits for.

    Exits with one line if waiting is pointless: the password is wrong, there is no such database or folder, or the file
    is not SQLite's.
    """
    pause = 0.1
    while not look_at_database():
        time.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE)


def look_at_database() -> bool:
    """Whether the database can be used. If not, logs why, or exits as `wait_for_database` does."""
    try:
        with database.atomic():  # on SQLite this also shows whether the file can be written
            lack = readiness.lack(anew=True)
    except PeeweeException as error:
        forget_connection()
        if is_hopeless(error):
            sys.exit(complaint(_in_words(error)))
        if not is_unavailable(error):
            raise
        away.failed(error)
        return False
    if lack:
        readiness.lacking.failed(lack)
        return False
    away.is_over()
    readiness.lacking.is_over()
    return True


def is_hopeless(error: BaseException) -> bool:
    """Whether a connection has failed for a lasting reason. Only meant for the start of a process."""
    driver = driver_error(error)
    if isinstance(driver, sqlite3.Error):
        return getattr(driver, "sqlite_errorcode", 0) & 0xFF in _HOPELESS
    return isinstance(driver, psycopg.OperationalError) and bool(_REFUSED.search(str(driver)))


@contextmanager
def or_one_line() -> Iterator[None]:
    """Exit with one line if a setting, declaration, server or file turns out to be wrong or away in the block."""
    try:
        yield
    except CannotStart as error:
        sys.exit(error.report)
    except (PeeweeException, sqlite3.Error, psycopg.Error) as error:
        if isinstance(error, PeeweeException) and (lack := readiness.lack_behind(error)):
            sys.exit(complaint(f"the database is not ready: {lack}"))
        if not (is_hopeless(error) or is_unavailable(error)):
            raise  # this is no outage
        sys.exit(complaint(_in_words(error)))
    except RedisError as error:
        sys.exit(complaint(f"Redis does not answer: {one_line(error)}"))
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(complaint(one_line(error)))


def _in_words(error: BaseException) -> str:
    where = "" if is_postgres() else f" ({database.obj.database})"
    return f"the database{where} cannot be used: {one_line(error)}"
