"""Iteration: what `task.each` goes through, item by item, and the position from which a later run goes on."""

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Protocol

from peewee import Expression, Field, ModelSelect, Ordering

from tasks.engine.config import config
from webapp.db import Untyped
from webapp.lib.json_types import Json


class Loop(Protocol):
    """Something to go through once. `position` is JSON: after the items that `advance` was called with."""

    @property
    def remaining(self) -> int | None:
        """How many items are left; None if that is unknown."""

    @property
    def position(self) -> Json:
        """Where a later run goes on."""

    @property
    def reads_next(self) -> bool:
        """Whether getting the next item reads the database."""

    @property
    def is_over(self) -> bool:
        """Whether there is no further item; False if that is unknown. One query at most."""

    def advance(self, item: object) -> int:
        """The work on this item is done. Returns how many steps it was."""

    def __iter__(self) -> Iterator[object]: ...


def loop_over(items: Iterable[object], position: Json, size: int | None = None) -> Loop:
    """A loop over a query or any iterable, from the `position` of an earlier run's loop over the same; None to begin.

    With a `size` it gives lists of up to that many items. Raises ValueError for a query that cannot be read in batches.
    """
    loop: Loop = _Rows(items, position) if isinstance(items, ModelSelect) else _Items(items, position)
    return _Batches(loop, size) if size else loop


class _Batches:
    """The items of another loop, in lists of up to `size`."""

    reads_next = True

    def __init__(self, loop: Loop, size: int) -> None:
        self._loop, self._size = loop, size

    @property
    def remaining(self) -> int | None:
        return self._loop.remaining

    @property
    def position(self) -> Json:
        return self._loop.position

    @property
    def is_over(self) -> bool:
        return self._loop.is_over

    def advance(self, batch: object) -> int:
        assert isinstance(batch, list)
        return sum(map(self._loop.advance, batch))

    def __iter__(self) -> Iterator[list[object]]:
        items = iter(self._loop)
        while batch := list(islice(items, self._size)):
            yield batch


class _Items:
    """Any iterable that gives the same items in the same order again: the position is a number of items."""

    reads_next = False

    def __init__(self, items: Iterable[object], position: Json) -> None:
        if not isinstance(position, int | None):
            raise TypeError("an earlier run went through a query here")
        self._items = items
        self.position = position or 0
        self.remaining = max(0, len(items) - self.position) if isinstance(items, Sized) else None

    @property
    def is_over(self) -> bool:
        return isinstance(self._items, Sized) and self.position >= len(self._items)

    def advance(self, _: object) -> int:
        self.position += 1
        return 1

    def __iter__(self) -> Iterator[object]:
        return islice(self._items, self.position, None)


class _Rows:
    """A query, `config().query_batch` rows at a time, each batch beginning after the last row of the one before.

    The position is the values of the columns that order it, in the last row that is done: whatever rows come and go
    before it, the next run neither repeats nor skips any.
    """

    def __init__(self, query: ModelSelect, position: Json) -> None:
        if not isinstance(position, list | None):
            raise TypeError("an earlier run went through something other than a query here")
        own: Untyped = query  # Peewee's types leave out what is private
        if own._limit is not None or own._offset is not None:
            raise ValueError("each() reads a whole query: one without limit and offset")
        self._columns = [_column(order) for order in own._order_by or [query.model._meta.primary_key]]
        self._query = query.order_by(*self._columns)
        self._last: object = None
        self._start = position
        self._unread = 0  # rows of the present batch that are still to be given
        if position is not None:
            pairs = zip(self._columns, position, strict=True)
            values = [column.python_value(value) for column, value in pairs]  # type: ignore[no-untyped-call]
            self._query = self._query.where(_after(self._columns, values))

    @property
    def remaining(self) -> int:
        return int(self._query.order_by().count())

    @property
    def position(self) -> list[Json] | None:
        if self._last is None:
            return self._start
        return [_as_json(getattr(self._last, column.name)) for column in self._columns]

    @property
    def reads_next(self) -> bool:
        return not self._unread

    @property
    def is_over(self) -> bool:
        if self._last is None:
            return False
        done = [getattr(self._last, column.name) for column in self._columns]
        return not self._query.where(_after(self._columns, done)).exists()

    def advance(self, item: object) -> int:
        self._last = item
        return 1

    def __iter__(self) -> Iterator[object]:
        query = self._query.limit(config().query_batch)
        after: Expression | None = None
        while batch := list(query.where(after) if after is not None else query):
            for self._unread, row in zip(reversed(range(len(batch))), batch, strict=True):
                yield row
            after = _after(self._columns, [getattr(batch[-1], column.name) for column in self._columns])


def _column(order: "Field[Untyped] | Ordering") -> "Field[Untyped]":
    if not isinstance(order, Ordering):
        return order
    if order.direction != "ASC":
        raise ValueError("each() reads a query in ascending order only")
    column: Field[Untyped] = order.node
    return column


def _after(columns: "list[Field[Untyped]]", values: list[object]) -> Expression:
    """(a, b) > (x, y), spelled as a >= x AND (a > x OR (a = x AND b > y)), which every database understands.

    The first part says nothing new, but lets an index begin there: by the rest alone, each batch would read all before.
    """
    column, value = columns[0], values[0]
    if len(columns) == 1:
        return column > value
    return (column >= value) & ((column > value) | ((column == value) & _after(columns[1:], values[1:])))


def _as_json(value: object) -> Json:
    """A column's value so that the column reads it back the same; all but numbers by their texts."""
    return value if isinstance(value, int | float | str) else str(value)
