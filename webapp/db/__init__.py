"""The database handle that every model and every process of Errand uses, and its migrations."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from peewee import DatabaseProxy, Model, SqliteDatabase
from playhouse.migrations import Runner

from webapp.db import commit_hooks, fulltext, postgres, sqlite_lock, timeouts
from webapp.db.commit_hooks import Endings, Write
from webapp.lib.circuit_breaker import Bulkhead
from webapp.settings import Settings

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x45727261  # any fixed number, the same in every process: "Erra"
PATIENCE, HASTE = 15.0, 5.0  # seconds for which a statement waits for SQLite's write lock: the latter where people wait


class _Opening(threading.local):
    """What to do before this thread's next write, if it is not in a transaction."""

    action: Callable[[], object] | None = None


_opening = _Opening()


class _Opens:
    """A database on which `open_at_first_write` works."""

    def atomic(self, *args: Any, **options: Any) -> Any:
        _open()
        return super().atomic(*args, **options)  # type: ignore[misc]

    def transaction(self, *args: Any, **options: Any) -> Any:
        _open()
        return super().transaction(*args, **options)  # type: ignore[misc]

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if _opening.action and not sql.startswith("SELECT"):
            _open()
        return super().execute_sql(sql, params)  # type: ignore[misc]


class _Sqlite(_Opens, Endings, SqliteDatabase):
    """SQLite. Where there is a bulkhead, a few threads at a time wait for its only lock; reading needs none."""

    bulkhead: Bulkhead | None = None
    is_patient = True

    def patience(self) -> float:
        """For how many seconds a statement waits for the lock."""
        return PATIENCE if self.is_patient else min(HASTE, PATIENCE)

    def begin(self, *options: Any) -> None:
        with self._place():
            super().begin(*options)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        # By the connection and not by Peewee, for which a transaction is over before its last writes and its commit.
        if self.bulkhead is None or sql.startswith("SELECT") or self.connection().in_transaction:
            return super().execute_sql(sql, params)
        with self._place():
            return super().execute_sql(sql, params)

    def _place(self) -> AbstractContextManager[None]:
        # Who would not wait for the lock takes no place from those who do, and does not wait for one either.
        return self.bulkhead.place() if self.bulkhead and sqlite_lock.waits() else nullcontext()


class _Postgres(_Opens, Endings, postgres.Postgres):
    pass


class _Proxy(DatabaseProxy):
    def atomic(self, *args: Any, **options: Any) -> Any:
        return self.obj.atomic(*args, **options)

    def transaction(self, *args: Any, **options: Any) -> Any:
        return self.obj.transaction(*args, **options)


# `with database.transaction()` joins the transaction that is under way, if one is: what raises in it undoes all.
# `with database.atomic()` is then a savepoint, for what may fail alone; its name is new to the database each time, and
# with that two statements to parse.
database: Any = _Proxy()


class BaseModel(Model):
    """A table named by the plural of its model, in the one database."""

    class Meta:
        database = database
        legacy_table_names = False

        def table_function(model: type[Model]) -> str:  # type: ignore[misc]  # noqa: N805, D102 - Peewee's hook
            words = "".join(f"_{c.lower()}" if c.isupper() else c for c in model.__name__).strip("_")
            return f"{words}s"


def configure(settings: Settings, patient: bool = True) -> None:
    """Point `database` at the storage that the settings name; nothing is opened yet.

    Each thread opens its connection at its first query and keeps it: opening one costs more than most
    requests do. A forked child starts without its parent's connections.

    A process that is not `patient` is one in which people wait: there no query may take longer than five seconds, and
    a few threads only may wait for one at the same time. Whoever may not has Unavailable raised.
    """
    url = settings.database_url
    if url.startswith("sqlite"):
        # IMMEDIATE: a transaction that reads and then writes would else fail at once as "locked", however
        # long the timeout, when another wrote in between.
        path = unquote(urlsplit(url).path[1:])
        pragmas = {"journal_mode": "wal", "foreign_keys": 1}
        factory = sqlite_lock.connecting(path, lambda: db.patience())
        db: Any = _Sqlite(path, lock_type="IMMEDIATE", timeout=0, pragmas=pragmas, factory=factory)
        db.is_patient = patient
        db.bulkhead = None if patient else Bulkhead()
        # SQLite's own knows the case of English letters only.
        db.register_function(lambda text: text and text.lower(), "lower", 1, deterministic=True)
    else:
        limits = (timeouts.of_worker if patient else timeouts.of_web)(settings.task_lease)
        db = _Postgres(postgres.Server(url, limits, guarded=not patient))
    database.initialize(db)


def connect_to_postgres() -> psycopg.Connection[Any]:
    """A connection besides those of `database`, to the same server and with the same deadlines, for the queue.

    Raises psycopg.OperationalError, or Unavailable.
    """
    connection: psycopg.Connection[Any] = database.obj.server.connect()
    return connection


def forget_connection() -> None:
    """Close this thread's connection, in whatever state it is; the next query opens another."""
    connection = database.obj._state.conn
    database.obj.dispose()
    if connection is not None:
        with suppress(Exception):  # what is broken may refuse to be closed, and is forgotten all the same
            connection.close()


def place() -> AbstractContextManager[None]:
    """A place among the few threads that may wait for the database, for what waits besides its queries.

    Raises Unavailable where there is none; in a patient process all have one.
    """
    db = database.obj
    bulkhead: Bulkhead | None = db.server.bulkhead if is_postgres() else db.bulkhead
    return bulkhead.place() if bulkhead else nullcontext()


@contextmanager
def without_deadlines() -> Iterator[None]:
    """Let this thread wait for as long as its statements take while the block lasts."""
    db = database.obj
    if not is_postgres():
        before, db.is_patient = db.is_patient, True
        try:
            yield
        finally:
            db.is_patient = before
        return
    with db.server.without_deadlines(db.connection()):
        yield


def is_postgres() -> bool:
    """Whether the database is PostgreSQL; else it is SQLite."""
    return isinstance(database.obj, postgres.Postgres)


os.register_at_fork(after_in_child=lambda: database.obj and database.obj.dispose())


def open_at_first_write(action: Callable[[], object] | None) -> None:
    """Run `action` once before this thread's next write or `atomic()`; None takes that back.

    With an action that begins a transaction, what follows joins it, whoever writes it; reading alone begins none, and
    so holds no lock.
    """
    _opening.action = action


def _open() -> None:
    action, _opening.action = _opening.action, None
    if action:
        action()


def after_commit(action: Callable[[], object]) -> None:
    """Run `action` once the outermost transaction has committed, or now if there is none; never on a rollback.

    Nor when the savepoint in which this was called is rolled back alone. An exception in it is logged and goes no
    further: what was committed stands, whatever the action does.
    """

    def guarded() -> None:
        try:
            action()
        except Exception:
            log.exception("An action after a commit failed")

    database.after_commit(guarded)


def before_commit(write: Write, key: Any) -> None:
    """Call `write` as the last thing before the outermost transaction commits; see `endings.before_commit`."""
    _open()  # it is a write, too: where one begins a transaction, it is the last of that
    commit_hooks.before_commit(database.obj, write, key)


def demand_transaction() -> None:
    """Raise RuntimeError unless a transaction is open: for what would be half done, or guard nothing, without one."""
    if not database.in_transaction():
        raise RuntimeError("this belongs in a transaction of the caller's")


def locks_rows() -> bool:
    """Whether transactions write side by side and wait for each other's rows; on SQLite whoever writes is alone."""
    return is_postgres()


def locking(query: Any, strength: str = "UPDATE", skip_locked: bool = False) -> Any:
    """The query, whose rows are then locked until the transaction ends, where rows are."""
    return query.for_update(f"FOR {strength}", skip_locked=skip_locked) if locks_rows() else query


def migrate(*more: Callable[[], object]) -> list[str]:
    """Bring the schema up to date, then take the further steps given; returns the names of the migrations applied.

    Safe to call from several processes at once: one applies them, the others wait and find nothing to do. A migration
    is applied unless one of its name is; so a newer schema than this code's stays as it is.
    The migrations are one transaction on SQLite and PostgreSQL; a further step has its own, under the same lock.
    """
    with changing_schema() as runner:
        applied = runner.up()
        if applied or not any(migration.path is None for migration in runner.status()):
            fulltext.mend(database.obj)
        for step in more:
            step()
    return list(applied)


@contextmanager
def changing_schema() -> Iterator[Runner]:
    """What applies migrations and takes them back, in one transaction and with nobody else at it."""
    # On SQLite the transaction takes the write lock, and is itself the guard.
    with without_deadlines(), _references_aside(), database.atomic():
        if is_postgres():
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        yield migrations()


def migrations() -> Runner:
    """The migrations of this code, and those of the database, which may be others."""
    return Runner(database.obj, str(MIGRATIONS))


@contextmanager
def _references_aside() -> Iterator[None]:
    """SQLite changes a table by dropping it for a new one, which would delete all rows that refer to it."""
    if is_postgres():
        yield
        return
    database.execute_sql("PRAGMA foreign_keys = 0")  # without effect in a transaction, so before it
    try:
        yield
    finally:
        database.execute_sql("PRAGMA foreign_keys = 1")
