"""Locks: what is locked before a task changes.

Whoever changes a child first locks the row of the workflow at the top: otherwise two children that end at the same
moment would each find the other one still running.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.engine.models.row import TaskRow
from webapp.db import database, locking


@contextmanager
def changing(task: TaskRow) -> Iterator[None]:
    """A transaction in which a task may change: nobody else changes anything in its workflow meanwhile.

    It takes the first lock of all: docs/architecture.md has the order.
    """
    model = type(task)
    with database.transaction():
        if task.root_id:
            model.update(done=model.done).where(model.id == task.root_id).execute()
        yield


@contextmanager
def changing_if_free(task: TaskRow) -> Iterator[bool]:
    """Like `changing`, but yields False instead of waiting where another transaction has the task or its workflow.

    Only PostgreSQL can tell. On SQLite whoever writes waits for all others anyway.
    """
    model, ids = type(task), [task.id, task.root_id or task.id]
    with database.transaction():
        locked = locking(model.select(model.id).where(model.id.in_(ids)), skip_locked=True)
        yield len(list(locked)) == len(set(ids))


@contextmanager
def alone_with(task: TaskRow, to_remove: bool = False) -> Iterator[None]:
    """A transaction in which nobody else changes the task, which is read anew: what holds of it then stays so.

    Two queries at most. Raises DoesNotExist where it is gone.
    """
    model = type(task)
    # No more than an UPDATE locks: a run that has just added something to its task may wait for our workflow.
    strength = "UPDATE" if to_remove else "NO KEY UPDATE"
    with changing(task):
        now = locking(model.select().where(model.id == task.id), strength).get()
        task.__data__.update(now.__data__)
        yield
