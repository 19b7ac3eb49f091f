"""Lazy transactions: a unit of work opens its transaction at its first write, so that reading alone takes no lock.

This is why an INSERT may open a transaction and run other queries first. While a task runs, the engine registers an
action with `open_at_first_write`. The first write of that thread, in any code, calls the action before it is sent:
the action begins the transaction and runs the fence query, which locks the task's row and checks that this run still
holds its lease. So the write may raise what the action raises (LeaseLost), and then has not happened. Everything after
it joins that transaction, until the engine commits at a checkpoint. No action is registered in a web request.

A write is any statement that does not begin with SELECT, and every `atomic()` or `transaction()`. A SELECT that locks
or writes (FOR UPDATE, or a function with effects) counts as reading: put it in a transaction.
"""

import threading
from collections.abc import Callable

from peewee import Database, _atomic, _transaction

from webapp.db.cursor import Cursor, Parameters


class _Pending(threading.local):
    """What this thread does before its next write."""

    action: Callable[[], object] | None = None


_pending = _Pending()


def open_at_first_write(action: Callable[[], object] | None) -> None:
    """Run `action` once, before this thread's next write or `atomic()`; None cancels that.

    If the action begins a transaction, every later statement of this thread joins it.
    """
    _pending.action = action


def open_now() -> None:
    """Run the pending action, if there is one: what follows is a write."""
    action, _pending.action = _pending.action, None
    if action:
        action()


class LazyTransactions(Database):
    """Mixin of a Peewee database on which `open_at_first_write` works."""

    def atomic(self, *args: object, **options: object) -> _atomic:
        """Peewee's, after the pending action."""
        open_now()
        return super().atomic(*args, **options)

    def transaction(self, *args: object, **options: object) -> _transaction:
        """Peewee's, after the pending action."""
        open_now()
        return super().transaction(*args, **options)

    def execute_sql(self, sql: str, params: Parameters | None = None) -> Cursor:
        """Peewee's; before a write, the pending action runs, and may raise."""
        if _pending.action and not sql.startswith("SELECT"):
            open_now()
        cursor: Cursor = super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        return cursor
