"""Removal: deletes or unlinks, in small batches, the rows that refer to a row before that is deleted itself.

The database would see to that by itself as the row is deleted, but all at once, in whatever order, and with everybody
else waiting for it.
"""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from peewee import ColumnBase, CompositeKey, Model, ModelDelete, ModelUpdate, Select, Tuple

from tasks.engine.models.row import TaskRow
from webapp.db import Untyped, locking

# Runs an UPDATE or DELETE, its first argument, which has no condition, on the rows whose keys the second one selects,
# in one transaction; returns the number of rows.
Act = Callable[[ModelUpdate | ModelDelete, Select], int]


class Held(Exception):
    """Somebody else has just now locked what was to go. It can be tried again later."""


def detach(model: type[TaskRow], task_id: UUID) -> None:
    """Let go of what refers to a task and its children, and stays without them; in the order of its ids.

    In a transaction that has locked the task.
    """
    tasks = model.select(model.id).where((model.id == task_id) | (model.root == task_id))
    for field, other in model._meta.backrefs.items():
        if field.on_delete == "SET NULL":
            rows = locking(other.select(key_of(other)).where(field.in_(tasks)).order_by(key_of(other)), "NO KEY UPDATE")
            other.update({field: None}).where(key_of(other).in_(rows)).execute()


def clear(model: type[Model], ids: Sequence[object], size: Callable[[type[Model]], int], act: Act) -> Iterator[None]:
    """Delete all that goes with these rows, and let go of what stays without them; not yet the rows themselves.

    Yields after each transaction that `act` makes of `size` rows at most. Linear in what there is to delete. Raises
    Held when somebody else has something of it.
    """
    for field, other in model._meta.backrefs.items():
        stays = field.on_delete == "SET NULL"
        some = other.select(*_key_columns(other)).where(field.in_(ids))
        while some.exists():
            rows = some.limit(size(other))
            if other._meta.backrefs and not stays:
                found = [row_id for (row_id,) in rows.tuples()]
                yield from clear(other, found, size, act)
                rows = other.select(key_of(other)).where(key_of(other).in_(found))
            if not act(other.update({field: None}) if stays else other.delete(), rows):
                raise Held
            yield


def key_of(model: type[Model]) -> ColumnBase:
    """The primary key for a condition, also where it is made of several columns."""
    columns = _key_columns(model)
    return columns[0] if len(columns) == 1 else Tuple(*columns)


def _key_columns(model: type[Model]) -> list[ColumnBase]:
    key: Untyped = model._meta.primary_key
    return [getattr(model, name) for name in key.field_names] if isinstance(key, CompositeKey) else [key]
