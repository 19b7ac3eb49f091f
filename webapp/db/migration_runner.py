"""Migrations: how they are applied, in one transaction, by one process at a time."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import OperationalError
from playhouse.migrations import Runner
from psycopg.errors import DeadlockDetected

from webapp.db import fulltext
from webapp.db.connections import without_deadlines
from webapp.db.handle import database, is_postgres
from webapp.db.resilience import driver_error

MIGRATIONS = Path(__file__).parent / "migrations"
log = logging.getLogger(__name__)

TRIES = 5
ADVISORY_LOCK = 0x45727261  # any fixed number, the same in every process and release: "Erra"


def migrate(*more: Callable[[], object]) -> list[str]:
    """Bring the schema up to date, then run the further steps given; returns the names of the migrations applied.

    Safe to call from several processes at once: one applies the migrations, the others wait and find nothing to do. A
    migration counts as applied if one of its name is; a schema that is newer than this code is left alone. The
    migrations are one transaction, on SQLite and on PostgreSQL. The further steps run under the same lock.

    On PostgreSQL it begins anew where it and others, who work meanwhile, have waited for each other's tables.
    """
    for _ in range(TRIES - 1):
        try:
            return _migrate(more)
        except OperationalError as error:
            if not isinstance(driver_error(error), DeadlockDetected):
                raise
            log.warning("Others lock the tables in another order; the migrations begin anew")
    return _migrate(more)


def _migrate(more: Iterable[Callable[[], object]]) -> list[str]:
    with changing_schema() as runner:
        applied = runner.up()
        if applied or not any(migration.path is None for migration in runner.status()):
            fulltext.mend(database.obj)
        for step in more:
            step()
    return list(applied)


@contextmanager
def changing_schema() -> Iterator[Runner]:
    """The migration runner, in one transaction that excludes every other process that changes the schema."""
    # On SQLite the transaction's write lock is that exclusion.
    with without_deadlines(), _without_foreign_keys(), database.atomic():
        if is_postgres():
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
        yield migrations()


def migrations() -> Runner:
    """The migration runner: it knows this code's migrations and those applied to the database, which may differ."""
    return Runner(database.obj, str(MIGRATIONS))


@contextmanager
def _without_foreign_keys() -> Iterator[None]:
    """SQLite changes a table by replacing it, and dropping the old one would delete all rows that refer to it."""
    if is_postgres():
        yield
        return
    database.execute_sql("PRAGMA foreign_keys = 0")  # without effect in a transaction, so before it
    try:
        yield
    finally:
        database.execute_sql("PRAGMA foreign_keys = 1")
