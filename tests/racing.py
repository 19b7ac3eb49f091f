"""Doing things elsewhere, or many at once: each in a thread with a database connection of its own."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tasks.queue import huey
from webapp.db import database
from webapp.db.bulkhead import PLACES
from webapp.settings import Settings


def race(number: int, act: Callable[[], Any]) -> list[Any]:
    """What each of so many threads got from `act`, or the exception that it raised, all let go at once."""
    barrier: threading.Barrier = threading.Barrier(number)
    results: list[Any] = []

    def run() -> None:
        with database.connection_context():
            barrier.wait()
            try:
                results.append(act())
            except Exception as error:
                results.append(error)
        with suppress(AttributeError):  # a queue that this thread has not used has nothing open
            huey.storage.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    with _patiently(number):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == number
    return results


@contextmanager
def _patiently(number: int) -> Iterator[None]:
    """More threads than may wait for PostgreSQL in a web process connect as those of workers do: on a busy machine
    some would be turned away else, and what is raced for is not that."""
    server = getattr(database.obj, "server", None)
    if server is None or number <= PLACES:
        yield
        return
    bulkhead, server.bulkhead = server.bulkhead, None
    try:
        yield
    finally:
        server.bulkhead = bulkhead


def elsewhere(act: Callable[[], Any]) -> Any:
    """What `act` returns in another process, as far as the database can tell: on another connection."""
    [result] = race(1, act)
    if isinstance(result, Exception):
        raise result
    return result


@contextmanager
def somebody_else_writing(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Another connection holds SQLite's write lock while the block lasts."""
    other = sqlite3.connect(settings.data_dir / "errand.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        if other.in_transaction:
            other.execute("ROLLBACK")
        other.close()
