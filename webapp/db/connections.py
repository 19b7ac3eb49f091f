"""Connections: which database this process has, how its threads connect, and how long they wait for it."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from urllib.parse import unquote, urlsplit

from webapp.db import postgres_timeouts, sqlite
from webapp.db.bulkhead import Bulkhead
from webapp.db.handle import database
from webapp.db.postgres import Postgres, Server
from webapp.db.postgres_connection import Connection
from webapp.db.sqlite import Sqlite

IDLE_TIMEOUT = 15  # seconds


def configure(url: str, *, idle_timeout: int = IDLE_TIMEOUT, patient: bool = True) -> None:
    """Point `database` at the one at a URL; nothing is opened yet.

    The URL is `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, or one that libpq takes, `postgresql://…`.
    PostgreSQL rolls a transaction back once its process has done nothing in it for `idle_timeout` seconds.

    Each thread opens its connection at its first query and keeps it: opening one costs more than most requests do. A
    forked child starts without its parent's connections.

    People wait for a process that is not `patient`. There, no query may take longer than five seconds, and only a few
    threads at a time may wait for one; the others get Unavailable.
    """
    if url.startswith("sqlite"):
        database.initialize(_sqlite(unquote(urlsplit(url).path[1:]), patient))
    else:
        timeouts = (postgres_timeouts.of_worker if patient else postgres_timeouts.of_web)(idle_timeout)
        database.initialize(Postgres(Server(url, timeouts, guarded=not patient)))


def _sqlite(path: str, patient: bool) -> Sqlite:
    return Sqlite(path, sqlite.WORKER_TIMEOUT) if patient else Sqlite(path, sqlite.WEB_TIMEOUT, Bulkhead())


def connect_to_postgres() -> Connection:
    """A connection besides those of `database`, to the same server and with the same timeouts, for the queue.

    Raises psycopg.OperationalError, or Unavailable; TypeError where the database is SQLite.
    """
    if not isinstance(database.obj, Postgres):
        raise TypeError("the database is SQLite, which has no server to connect to")
    return database.obj.server.connect()


def forget_connection() -> None:
    """Close this thread's connection, whatever its state; the next query opens another."""
    connection = database.obj._state.conn
    database.obj.dispose()
    if connection is not None:
        with suppress(Exception):  # a broken connection may refuse to close, and is forgotten all the same
            connection.close()


def place() -> AbstractContextManager[None]:
    """A place among the few threads that may wait for the database, for waits other than its queries.

    Raises Unavailable if none is free. In a patient process every thread has a place.
    """
    db = database.obj
    bulkhead = db.server.bulkhead if isinstance(db, Postgres) else db.bulkhead
    return bulkhead.place() if bulkhead else nullcontext()


@contextmanager
def without_deadlines() -> Iterator[None]:
    """Let this thread's statements take as long as they need within the block.

    On SQLite, they wait for the write lock for as long as a worker's do, and so do other threads' meanwhile.
    """
    db = database.obj
    if isinstance(db, Postgres):
        with db.server.without_timeouts(db.connection()):
            yield
        return
    before, db.lock_timeout = db.lock_timeout, sqlite.WORKER_TIMEOUT
    try:
        yield
    finally:
        db.lock_timeout = before


os.register_at_fork(after_in_child=lambda: database.obj and database.obj.dispose())
