"""Transactions: what runs as one commits, what demands one, and the rows that it locks."""

import logging
from collections.abc import Callable
from typing import TypeVar

from peewee import Select

from webapp.db import commit_hooks
from webapp.db.commit_hooks import Write
from webapp.db.handle import database, is_postgres
from webapp.db.lazy_transaction import open_now

log = logging.getLogger(__name__)

Query = TypeVar("Query", bound=Select)


def after_commit(action: Callable[[], object]) -> None:
    """Run `action` once the outermost transaction has committed, or now if there is none; never on a rollback.

    If the savepoint in which this was called is rolled back alone, `action` does not run either. An exception in it is
    logged and goes no further: the commit stands.
    """

    def guarded() -> None:
        try:
            action()
        except Exception:
            log.exception("An action after a commit failed")

    database.after_commit(guarded)


def before_commit(write: Write, key: int) -> None:
    """Call `write` as the last thing before the outermost transaction commits; see `commit_hooks.before_commit`."""
    open_now()  # this is a write, too: the transaction that it may open is the one whose commit it waits for
    commit_hooks.before_commit(database.obj, write, key)


def demand_transaction() -> None:
    """Raise RuntimeError unless a transaction is open: for work that would be half done, or guard nothing, without."""
    if not database.in_transaction():
        raise RuntimeError("this belongs in a transaction of the caller's")


def locks_rows() -> bool:
    """Whether transactions lock rows, and so write side by side. On SQLite, one that writes is alone."""
    return is_postgres()


def locking(query: Query, strength: str = "UPDATE", skip_locked: bool = False, of: object = None) -> Query:
    """The query, which then locks its rows, or those `of` one of its tables, until the transaction ends.

    Unchanged on SQLite.
    """
    if not locks_rows():
        return query
    return query.for_update(f"FOR {strength}", of=of, skip_locked=skip_locked)  # type: ignore[arg-type]
