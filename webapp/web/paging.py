"""Paging by cursor: a page stays the same page while new things arrive above it.

Peewee pages by offset, which counts through all that comes before, and shows a row twice when one has come above it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import ModelSelect, UUIDField
from werkzeug.exceptions import BadRequest

PAGE_SIZE = 20
NO_SUCH_PAGE = "That page does not exist."
FindPlaces = Callable[[tuple[datetime, Any] | None], tuple[list[Any], tuple[datetime, Any] | None]]
Find = Callable[[int, tuple[datetime, Any] | None], list[Any]]


@dataclass(frozen=True)
class Page:
    """Some rows, newest first, and the cursor of the page after them; None on the last page."""

    items: list[Any]
    next: str | None


def page_upwards(query: "ModelSelect[Any]", cursor: str | None, size: int, by: str = "created_at") -> Page:
    """As `page`, with the oldest first. The query has no order yet."""
    model: Any = query.model
    time = getattr(model, by)
    if cursor:
        at, last_id = _parse(cursor, model)
        query = query.where(time >= at, (time > at) | (model.id > last_id))
    rows = list(query.order_by(time, model.id).limit(size + 1))
    return _page(rows[:size], len(rows) > size, by)


def page(query: "ModelSelect[Any]", cursor: str | None, size: int = PAGE_SIZE, by: str = "created_at") -> Page:
    """The rows of a query that come after a cursor. One query.

    The query is ordered by the time that is named and by `id`, both descending. Raises BadRequest for a cursor that no
    page gave out.
    """
    return page_of_all([query], cursor, size, by)


def page_of_all(
    queries: "list[ModelSelect[Any]]", cursor: str | None, size: int = PAGE_SIZE, by: str = "created_at"
) -> Page:
    """As `page`, of the rows of several such queries in one order, none of which is in two. One query for each."""
    rows = [row for query in queries for row in _after(query, cursor, by).limit(size + 1)]
    if len(queries) > 1:
        rows.sort(key=lambda row: (getattr(row, by), row.id), reverse=True)
    return _page(rows[:size], len(rows) > size, by)


def _after(query: "ModelSelect[Any]", cursor: str | None, by: str) -> "ModelSelect[Any]":
    if not cursor:
        return query
    model: Any = query.model
    time, (at, last_id) = getattr(model, by), _parse(cursor, model)
    # The first condition follows from the second, and is what an index finds the place by.
    return query.where(time <= at, (time < at) | (model.id < last_id))


def page_by_number(
    query: "ModelSelect[Any]", cursor: str | None, field: Any, size: int = PAGE_SIZE, *, upwards: bool = False
) -> Page:
    """The rows of a query that come after a cursor, where no two have one number in the field. One query.

    The query is ordered by that field, descending unless it is read upwards. Raises BadRequest as `page` does.
    """
    if cursor:
        query = query.where(field > _number(cursor) if upwards else field < _number(cursor))
    rows: list[Any] = list(query.limit(size + 1))
    return Page(rows[:size], str(getattr(rows[size - 1], field.name)) if len(rows) > size else None)


def page_of_ids(query: "ModelSelect[Any]", cursor: str | None, find: Find, size: int = PAGE_SIZE) -> Page:
    """The page of those rows of a query whose ids `find(limit, position)` returns, in that order.

    One query besides those of `find`, or two where the query leaves out the last of these. Raises BadRequest as `page`
    does.
    """
    model: Any = query.model
    ids = find(size + 1, _parse(cursor, model) if cursor else None)
    rows = {row.id: row for row in query.where(model.id.in_(ids[:size])).order_by()} if ids else {}
    found = _page([rows[row_id] for row_id in ids if row_id in rows], len(ids) > size)
    if len(ids) > size and ids[size - 1] not in rows:  # the query leaves it out, and what comes after it, it may not
        last = model.get_or_none(model.id == ids[size - 1])
        return Page(found.items, last and cursor_of(last))
    return found


def page_of_places(model: Any, cursor: str | None, find: FindPlaces) -> Page:
    """The page of the rows of a model that `find(position)` returns, with the place where that ends, if it does before
    the last row. Raises BadRequest as `page` does."""
    rows, place = find(_parse(cursor, model) if cursor else None)
    return Page(rows, place and cursor_of_place(*place))


def page_of_rows(model: Any, cursor: str | None, find: Find, size: int = PAGE_SIZE) -> Page:
    """The page of the rows of a model that `find(limit, position)` returns. Raises BadRequest as `page` does."""
    rows = find(size + 1, _parse(cursor, model) if cursor else None)
    return _page(rows[:size], len(rows) > size)


def _page(items: list[Any], has_more: bool, by: str = "created_at") -> Page:
    last = items[-1] if items and has_more else None
    return Page(items, f"{getattr(last, by).isoformat()}_{last.id}" if last else None)


def count_newer(query: "ModelSelect[Any]", cursor: str | None, most: int) -> int:
    """How many rows of such a query have come before a place, or at all without one; counted no further than `most`.

    One query, by index. Raises BadRequest for a cursor that no page gave out.
    """
    model: Any = query.model
    if cursor:
        at, last_id = _parse(cursor, model)
        query = query.where(model.created_at >= at, (model.created_at > at) | (model.id > last_id))
    return int(query.limit(most).count())


def cursor_of(row: Any) -> str:
    """The cursor of the place after a row."""
    return cursor_of_place(row.created_at, row.id)


def cursor_of_place(at: datetime, row_id: Any) -> str:
    """The cursor of the place after the row of that time and id."""
    return f"{at.isoformat()}_{row_id}"


def cursor_at(row: Any) -> str:
    """The cursor of the page that begins with a row, whose `id` is a number."""
    return f"{row.created_at.isoformat()}_{row.id + 1}"


def _parse(cursor: str, model: Any) -> tuple[datetime, Any]:
    at, _, last_id = cursor.partition("_")
    try:
        return moment(at), UUID(last_id) if isinstance(model.id, UUIDField) else _number(last_id)
    except ValueError as error:
        raise BadRequest(NO_SUCH_PAGE) from error


def moment(text: str) -> datetime:
    """The time in a cursor, as `isoformat` writes it, naive. Raises BadRequest for what no page gave out."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(NO_SUCH_PAGE) from error
    if at.tzinfo:
        raise BadRequest(NO_SUCH_PAGE)
    return at


def page_number(cursor: str | None) -> int | None:
    """The number in a cursor that is one; None without a cursor. Raises BadRequest for what no page gave out."""
    return _number(cursor) if cursor else None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # what a database's integers hold
        raise BadRequest(NO_SUCH_PAGE)
    return int(text)
