"""The database handle that every model and every process of Errand uses, and its migrations."""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
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
from playhouse.db_url import connect, register_database
from playhouse.migrations import Runner

from webapp import endings, fulltext, sqlite_lock
from webapp.endings import Endings, Write
from webapp.settings import Settings

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x45727261  # any fixed number, the same in every process: "Erra"
PATIENCE = 15.0  # seconds for which a statement waits for SQLite's write lock

# https://www.sqlite.org/rescode.html
UNAVAILABLE = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip

Result = TypeVar("Result")


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
    pass


class _Postgres(_Opens, Endings, PostgresqlDatabase):
    pass


register_database(_Postgres, "postgres", "postgresql")


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
        pragmas = {"journal_mode": "wal", "foreign_keys": 1}
        factory = sqlite_lock.connecting(path, lambda: PATIENCE)
        db: Any = _Sqlite(path, lock_type="IMMEDIATE", timeout=0, pragmas=pragmas, factory=factory)
        # SQLite's own knows the case of English letters only.
        db.register_function(lambda text: text and text.lower(), "lower", 1, deterministic=True)
    else:
        # A process that is stopped while it writes must not keep a row from everybody else for long.
        idle = f"-c idle_in_transaction_session_timeout={settings.task_lease * 1000}"
        options = {} if "options=" in url else {"options": idle}
        db = connect(url, unquote_password=True, unquote_user=True, prefer_psycopg3=True, **options)
    database.initialize(db)


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
    endings.before_commit(database.obj, write, key)


def demand_transaction() -> None:
    """Raise RuntimeError unless a transaction is open: for what would be half done, or guard nothing, without one."""
    if not database.in_transaction():
        raise RuntimeError("this belongs in a transaction of the caller's")


def locks_rows() -> bool:
    """Whether transactions write side by side and wait for each other's rows; on SQLite whoever writes is alone."""
    return isinstance(database.obj, PostgresqlDatabase)


def locking(query: Any, strength: str = "UPDATE", skip_locked: bool = False) -> Any:
    """The query, whose rows are then locked until the transaction ends, where rows are."""
    return query.for_update(f"FOR {strength}", skip_locked=skip_locked) if locks_rows() else query


def migrate(*more: Callable[[], object]) -> list[str]:
    """Bring the schema up to date, then take the further steps given; returns the names of the migrations applied.

    Safe to call from several processes at once: one applies them, the others wait and find nothing to do.
    The migrations are one transaction on SQLite and PostgreSQL; a further step has its own, under the same lock.
    """
    # On SQLite the transaction takes the write lock, and is itself the guard.
    with _references_aside(), database.atomic():
        if isinstance(database.obj, PostgresqlDatabase):
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        applied = Runner(database.obj, str(MIGRATIONS)).up()
        fulltext.mend(database.obj)
        for step in more:
            step()
    return applied


@contextmanager
def _references_aside() -> Iterator[None]:
    """SQLite changes a table by dropping it for a new one, which would delete all rows that refer to it."""
    if isinstance(database.obj, PostgresqlDatabase):
        yield
        return
    database.execute_sql("PRAGMA foreign_keys = 0")  # without effect in a transaction, so before it
    try:
        yield
    finally:
        database.execute_sql("PRAGMA foreign_keys = 1")


def persistently(write: Callable[[], Result]) -> Result:
    """What `write` returns, on a fresh connection if the kept one has died; for writes that may be tried twice.

    A thread keeps its connection, and finds out that the server has closed it only by using it.
    """
    try:
        return write()
    except (InterfaceError, OperationalError):
        _drop_connection()
        return write()


def is_unavailable(error: BaseException) -> bool:
    """Whether an error says that the database cannot be reached or written now, and nothing about what was asked."""
    if not isinstance(error, (InterfaceError, OperationalError)):
        return False
    if isinstance(database.obj, PostgresqlDatabase):
        return True  # there, what is wrong with a query is another kind of error
    code = getattr(error.__context__ or error, "sqlite_errorcode", 0)
    return code & 0xFF in UNAVAILABLE


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
    if not db.is_connection_usable() or getattr(db.connection(), "closed", False):
        _drop_connection()


def _drop_connection() -> None:
    """Forget this thread's connection, in whatever state it is."""
    with suppress(PeeweeException):  # what is broken may refuse to be closed, and is forgotten all the same
        database.obj.close()
    database.obj.dispose()
