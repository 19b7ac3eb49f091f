"""Readiness: whether the database has a schema that this release works with, its own or a later one's."""

import logging

from peewee import PeeweeException

from webapp.db import schema
from webapp.db.handle import database
from webapp.db.resilience import driver_error, is_unavailable
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)

lacking = Outage(log, "The database is not ready", "The database is ready")

WHAT_TO_DO = "run flask --app webapp.wsgi migrate"
# How PostgreSQL, by its SQLSTATE, and SQLite, in words, report a missing table or column.
NO_SUCH_STATE, NO_SUCH_WORDS = ("42P01", "42703"), ("no such table", "no such column", "has no column named")
_right: object = None  # the database that was found ready; applied migrations mostly stay applied


def lack(anew: bool = False) -> str:
    """What the database lacks and what to do about it, in a line; "" where it lacks nothing.

    Two small queries; once it was found ready, only `SELECT 1`, unless asked `anew`. Raises PeeweeException if it does
    not answer.
    """
    global _right
    if _right is database.obj and not anew:
        database.execute_sql("SELECT 1")
        return ""
    _right = None
    standings = schema.status()
    missing = [name for name, standing in standings if standing == "pending"]
    if not missing:
        _right = database.obj
        return ""
    is_older = len(missing) < len(standings)
    what = f"its schema is older than this release ({missing[0]} is missing)" if is_older else "it has no schema yet"
    return f"{what}: {WHAT_TO_DO}"


def lack_behind(error: PeeweeException) -> str:
    """What the database lacks if that explains an error, in the words of `lack`; otherwise ""."""
    if not _says_missing(error):
        return ""
    try:
        return lack(anew=True)
    except PeeweeException as failure:
        if not is_unavailable(failure):
            raise
        return ""


def _says_missing(error: PeeweeException) -> bool:
    state = getattr(driver_error(error), "sqlstate", None)
    return state in NO_SUCH_STATE or (state is None and any(words in str(error) for words in NO_SUCH_WORDS))
