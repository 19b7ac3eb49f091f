"""Loops: what `task.each` goes through, and the position from which a later run goes on."""

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Any, Protocol

from peewee import Expression, ModelSelect, Ordering

BATCH = 500


class Loop(Protocol):
    """Something to go through once. `position` is JSON, and belongs to the items that have been `passed`."""

    @property
    def remaining(self) -> int | None:
        """How many items there are from here; None if nobody knows."""

    @property
    def position(self) -> Any:
        """From where a later run goes on."""

    @property
    def is_over(self) -> bool:
        """Whether the item that was passed last was the last of all; False if nobody knows. One query at most."""

    def passed(self, item: Any) -> None:
        """The step of this item is done."""

    def __iter__(self) -> Iterator[Any]: ...


def loop_over(items: Iterable[Any], position: Any) -> Loop:
    """A loop over a query or anything iterable, from a position that an earlier run's loop over the same gave; or None.

    Raises ValueError for a query that cannot be gone through in batches.
    """
    return _Rows(items, position) if isinstance(items, ModelSelect) else _Items(items, position)


class _Items:
    """A list, or what can be gone through again in the same order: the position is a number of items."""

    def __init__(self, items: Iterable[Any], position: int | None) -> None:
        self._items = items
        self.position = position or 0
        self.remaining = max(0, len(items) - self.position) if isinstance(items, Sized) else None

    @property
    def is_over(self) -> bool:
        return isinstance(self._items, Sized) and self.position >= len(self._items)

    def passed(self, _: Any) -> None:
        self.position += 1

    def __iter__(self) -> Iterator[Any]:
        return islice(self._items, self.position, None)


class _Rows:
    """A query, BATCH rows at a time, each batch beginning after the last row of the one before.

    The position is the values of the columns that order it, in the last row that was passed: whatever rows come and
    go before it, the next run neither repeats nor skips any.
    """

    def __init__(self, query: Any, position: list[Any] | None) -> None:
        if query._limit is not None or query._offset is not None:
            raise ValueError("each() reads a whole query: one without limit and offset")
        self._columns = [_column(order) for order in query._order_by or [query.model._meta.primary_key]]
        self._query = query.order_by(*self._columns)
        self._last: Any = None
        self._start = position
        if position is not None:
            values = [column.python_value(value) for column, value in zip(self._columns, position, strict=True)]
            self._query = self._query.where(_after(self._columns, values))

    @property
    def remaining(self) -> int:
        return int(self._query.order_by().count())

    @property
    def position(self) -> list[Any] | None:
        if self._last is None:
            return self._start
        return [_as_json(getattr(self._last, column.name)) for column in self._columns]

    @property
    def is_over(self) -> bool:
        if self._last is None:
            return False
        passed = [getattr(self._last, column.name) for column in self._columns]
        return not self._query.where(_after(self._columns, passed)).exists()

    def passed(self, item: Any) -> None:
        self._last = item

    def __iter__(self) -> Iterator[Any]:
        query = self._query.limit(BATCH)
        after: Expression | None = None
        while batch := list(query.where(after) if after is not None else query):
            yield from batch
            after = _after(self._columns, [getattr(batch[-1], column.name) for column in self._columns])


def _column(order: Any) -> Any:
    if isinstance(order, Ordering):
        if order.direction != "ASC":
            raise ValueError("each() reads a query in ascending order only")
        return order.node
    return order


def _after(columns: list[Any], values: list[Any]) -> Any:
    """(a, b) > (x, y), spelled as a > x OR (a = x AND b > y), which every database and its indexes understand."""
    column, value = columns[0], values[0]
    if len(columns) == 1:
        return column > value
    return (column > value) | ((column == value) & _after(columns[1:], values[1:]))


def _as_json(value: Any) -> Any:
    """A column's value so that the column reads it back the same; all but numbers by their texts."""
    return value if isinstance(value, int | float | str) else str(value)
