"""Connections: which database this process has, how its threads connect, and how long they wait for it."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from peewee import Database

from webapp.db import postgres_timeouts, sqlite
from webapp.db.bulkhead import Bulkhead
from webapp.db.handle import database, is_postgres
from webapp.db.postgres import Postgres, Server
from webapp.db.sqlite import Sqlite
from webapp.settings import Settings


def configure(settings: Settings, patient: bool = True) -> None:
    """Point `database` at the storage that the settings name; nothing is opened yet.

    Each thread opens its connection at its first query and keeps it: opening one costs more than most requests do. A
    forked child starts without its parent's connections.

    People wait for a process that is not `patient`. There, no query may take longer than five seconds, and only a few
    threads at a time may wait for one; the others get Unavailable.
    """
    url = settings.database_url
    if url.startswith("sqlite"):
        db: Database = _sqlite(unquote(urlsplit(url).path[1:]), patient)
    else:
        timeouts = (postgres_timeouts.of_worker if patient else postgres_timeouts.of_web)(settings.task_lease)
        db = Postgres(Server(url, timeouts, guarded=not patient))
    database.initialize(db)


def _sqlite(path: str, patient: bool) -> Sqlite:
    return Sqlite(path, sqlite.WORKER_TIMEOUT) if patient else Sqlite(path, sqlite.WEB_TIMEOUT, Bulkhead())


def connect_to_postgres() -> psycopg.Connection[Any]:
    """A connection besides those of `database`, to the same server and with the same timeouts, for the queue.

    Raises psycopg.OperationalError, or Unavailable.
    """
    connection: psycopg.Connection[Any] = database.obj.server.connect()
    return connection


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
    bulkhead: Bulkhead | None = db.server.bulkhead if is_postgres() else db.bulkhead
    return bulkhead.place() if bulkhead else nullcontext()


@contextmanager
def without_deadlines() -> Iterator[None]:
    """Let this thread's statements take as long as they need within the block.

    On SQLite, they wait for the write lock for as long as a worker's do, and so do other threads' meanwhile.
    """
    db = database.obj
    if is_postgres():
        with db.server.without_timeouts(db.connection()):
            yield
        return
    before, db.lock_timeout = db.lock_timeout, sqlite.WORKER_TIMEOUT
    try:
        yield
    finally:
        db.lock_timeout = before


os.register_at_fork(after_in_child=lambda: database.obj and database.obj.dispose())
