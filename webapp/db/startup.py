"""What a process does before it begins: it looks whether its database is there and has the schema that it needs.

What may come by itself is waited for, or told. What only its operator can mend ends the process with one line.
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

from webapp.db import database, forget_connection, is_postgres, readiness
from webapp.db.resilience import away, driver_error, is_unavailable
from webapp.lib.environment import CannotStart, complaint
from webapp.lib.outage import one_line

LONGEST_PAUSE = 5.0  # seconds

# Another file, folder or owner is needed: https://www.sqlite.org/rescode.html
_HOPELESS = {getattr(sqlite3, f"SQLITE_{name}") for name in "PERM AUTH READONLY CANTOPEN NOTADB CORRUPT".split()}
# libpq gives no code for a connection that was refused, only the server's words. In another language than English
# these are waited for, as any other.
_REFUSED = re.compile(
    r'password authentication failed|no password supplied|no pg_hba\.conf entry|(database|role) "[^"]*" does not exist'
    r"|authentication failed for user|is not permitted to log in|permission denied for database"
)


def wait_for_database() -> None:
    """Return once the database answers and has the schema. What it waits for it says once a minute.

    Exits with one line where waiting is pointless: nobody is let in by that password, there is no such database or
    folder, or the file is none of SQLite's.
    """
    pause = 0.1
    while not look_at_database():
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def look_at_database() -> bool:
    """Whether the database can be used. Where it cannot, says so, or exits as `wait_for_database` does."""
    try:
        with database.atomic():  # on SQLite that shows whether the file can be written, too
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
    """Whether a connection has failed for a reason that does not pass. To be asked as a process starts."""
    driver = driver_error(error)
    if isinstance(driver, sqlite3.Error):
        return getattr(driver, "sqlite_errorcode", 0) & 0xFF in _HOPELESS
    return isinstance(driver, psycopg.OperationalError) and bool(_REFUSED.search(str(driver)))


@contextmanager
def or_one_line() -> Iterator[None]:
    """Exit with one line where a setting, a declaration, a server or a file is wrong or away in this block."""
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
