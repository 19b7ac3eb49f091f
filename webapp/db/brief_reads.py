"""Brief reads: what is worth only a moment of waiting, and is left out where the database does not answer by then."""

from collections.abc import Iterator
from contextlib import contextmanager

from webapp.db import sqlite_lock
from webapp.db.handle import database, is_postgres


@contextmanager
def briefly(seconds: float) -> Iterator[None]:
    """Let no statement of the block, which only reads, take longer than that on PostgreSQL, nor wait on SQLite at all.

    It then raises an error that `is_unavailable`, also for a table that somebody has locked; what else is read after
    the block is not harmed. Where the server itself hangs, a first statement takes as long as any. On PostgreSQL three
    statements more, a transaction around them.
    """
    if not is_postgres():
        with sqlite_lock.without_waiting():
            yield
        return
    with database.transaction():
        database.execute_sql("SELECT set_config('statement_timeout', %s, true)", [f"{max(1, round(1000 * seconds))}ms"])
        yield
