"""The database handle that every model and every process of Errand uses, and its migrations."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from peewee import (
    DatabaseProxy,
    InterfaceError,
    Model,
    OperationalError,
    PeeweeException,
    PostgresqlDatabase,
    SqliteDatabase,
)
from playhouse.db_url import connect
from playhouse.migrations import Runner

from webapp.settings import Settings

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x45727261  # any fixed number, the same in every process: "Erra"

Result = TypeVar("Result")

database = DatabaseProxy()


class BaseModel(Model):
    """A table named by the plural of its model, in the one database."""

    class Meta:
        database = database
        legacy_table_names = False

        def table_function(model: type[Model]) -> str:  # type: ignore[misc]  # noqa: N805, D102 - Peewee's hook
            words = "".join(f"_{c.lower()}" if c.isupper() else c for c in model.__name__).strip("_")
            return f"{words}s"


def configure(settings: Settings) -> None:
    """Point `database` at the storage that the settings name; nothing is opened yet.

    Each thread opens its connection at its first query and keeps it: opening one costs more than most
    requests do. A forked child starts without its parent's connections.
    """
    url = settings.database_url
    if url.startswith("sqlite"):
        # IMMEDIATE: a transaction that reads and then writes would else fail at once as "locked", however
        # long the timeout, when another wrote in between.
        path = unquote(urlsplit(url).path[1:])
        db = SqliteDatabase(path, lock_type="IMMEDIATE", timeout=15, pragmas={"journal_mode": "wal", "foreign_keys": 1})
    else:
        db = connect(url, unquote_password=True, unquote_user=True, prefer_psycopg3=True)
    database.initialize(db)


os.register_at_fork(after_in_child=lambda: database.obj and database.obj.dispose())


def after_commit(action: Callable[[], object]) -> None:
    """Run `action` once the outermost transaction has committed, or now if there is none; never on a rollback.

    An exception in it is logged and goes no further: what was committed stands, whatever the action does.
    Do not call this inside a savepoint that may roll back alone: the action would still run.
    """

    def guarded() -> None:
        try:
            action()
        except Exception:
            log.exception("An action after a commit failed")

    database.after_commit(guarded)


def migrate(*more: Callable[[], object]) -> list[str]:
    """Bring the schema up to date, then take the further steps given; returns the names of the migrations applied.

    Safe to call from several processes at once: one applies them, the others wait and find nothing to do.
    The migrations are one transaction on SQLite and PostgreSQL; a further step has its own, under the same lock.
    """
    with database.atomic():  # on SQLite this takes the write lock; there the transaction itself is the guard
        if isinstance(database.obj, PostgresqlDatabase):
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        applied = Runner(database.obj, str(MIGRATIONS)).up()
        for step in more:
            step()
    return applied


def persistently(write: Callable[[], Result]) -> Result:
    """What `write` returns, on a fresh connection if the kept one has died; for writes that may be tried twice.

    A thread keeps its connection, and finds out that the server has closed it only by using it.
    """
    try:
        return write()
    except (InterfaceError, OperationalError):
        _drop_connection()
        return write()


def close_if_broken() -> None:
    """Drop this thread's connection if its last transaction did not end well, so that the next query opens a new one.

    Call it where a unit of work ends or has failed: after a request, after a task.
    """
    db = database.obj
    if db.is_closed():
        return
    if not db.is_connection_usable() or getattr(db.connection(), "closed", False):
        _drop_connection()


def _drop_connection() -> None:
    """Forget this thread's connection, in whatever state it is."""
    with suppress(PeeweeException):  # what is broken may refuse to be closed, and is forgotten all the same
        database.obj.close()
    database.obj.dispose()
