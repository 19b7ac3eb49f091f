"""Selection: the tasks that somebody has chosen for a bulk action: those of a search, or some by their ids."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from peewee import Case, fn

from tasks.engine.models.sealed import lost_secrets_in
from tasks.engine.models.state import UNSUCCESSFUL
from tasks.engine.models.task import Task
from webapp.db import Row, database, is_postgres
from webapp.models import desk_parts
from webapp.models.bulk_actions import MOST
from webapp.models.desk_filter import DeskFilter
from webapp.models.ordered_parts import Key, OrderedParts, is_among
from webapp.models.user import User

_MOST_LOOKS: Final = 4  # of which each is through `desk_parts.MOST_LOOKED_AT` tasks
# The rows of a selection, as the database has them: from DECIDES on, what an action goes by. Of their
# arguments, that is only whether secrets are lost.
_COLUMNS: Final[tuple[Any, ...]] = (
    Task.id,
    fn.COALESCE(Task.finished_at, Task.updated_at),
    Task.root,
    Task.name,
    Task.state,
    Task.composition,
    Task.hidden,
    Case(None, [(Task.parent.is_null(), 0)], 1),
    Case(None, [(Task.started_at.is_null(), 0)], 1),
    Case(None, [(Task.state.not_in(sorted(UNSUCCESSFUL)), 0), (lost_secrets_in(Task.arguments), 1)], 0),
    Case(None, [(Task.user.in_(User.select(User.id).where(User.suspended_at.is_null(False))), 1)], 0),
)
KEY, ENDED, WHOLE, DECIDES = range(4)


@dataclass(frozen=True)
class Selection:
    """Their `rows`, the latest first, each once; of those chosen by their ids, so many were `gone`.

    `is_cut` where there are more than MOST; `is_unsearched` where some were not looked at, since no index finds what
    is wanted.
    """

    rows: list[Row] = field(default_factory=list)
    gone: int = 0
    is_cut: bool = False
    is_unsearched: bool = False


def select_some(ids: Iterable[UUID]) -> Selection:
    """These in their order, each once, and MOST at most. One query, however many they are."""
    each = [key if is_postgres() else key.hex for key in dict.fromkeys(ids)]
    rows = _rows_of(each[:MOST])
    return Selection(rows, gone=len(each[:MOST]) - len(rows), is_cut=len(each) > MOST)


def with_workflows(selection: Selection) -> Selection:
    """The same with the whole workflow, once, in place of each of its parts, which are retried with it. One query."""
    found = {row[KEY]: row for row in _rows_of({row[WHOLE] for row in selection.rows if row[WHOLE]})}
    rows: list[Row] = [found.get(row[WHOLE], row) for row in selection.rows]
    return replace(selection, rows=[*{row[KEY]: row for row in rows}.values()])


def select_all(asked: DeskFilter) -> Selection:
    """All that a filter lets through, MOST at most. Four queries, or two for each of _MOST_LOOKS and two more."""
    parts = desk_parts.parts_of(asked)
    list_of_them, found, place = OrderedParts(parts, desk_parts.MOST_LOOKED_AT), list[Key](), None
    for _ in range(_MOST_LOOKS if parts else 0):
        some, place = list_of_them.keys(place, MOST - len(found))
        found += some
        if place is None or len(found) == MOST:
            break
    is_cut = len(found) == MOST and place is not None
    return Selection(_rows_of(found), is_cut=is_cut, is_unsearched=place is not None)


def _rows_of(keys: Collection[Key]) -> list[Row]:
    """In the order of the keys. One query."""
    if not keys:
        return []
    rows = {row[KEY]: row for row in database.execute(Task.select(*_COLUMNS).where(is_among(keys)))}
    return [rows[key] for key in keys if key in rows]


def uuid_of(row: Row) -> UUID:
    """The id of a task by its row."""
    key: Key = row[KEY]
    return key if isinstance(key, UUID) else UUID(key)
