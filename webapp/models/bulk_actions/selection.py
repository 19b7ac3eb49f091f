"""Selection: the tasks that somebody has chosen for a bulk action: those of a search, or some by their ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast
from uuid import UUID

from tasks.engine.models.task import Task
from webapp.models import desk_parts
from webapp.models.bulk_actions import MOST
from webapp.models.desk_filter import DeskFilter
from webapp.models.ordered_parts import OrderedParts

AT_ONCE: Final = 2000
_MOST_LOOKS: Final = 10  # of which each is through `desk_parts.MOST_LOOKED_AT` tasks


@dataclass(frozen=True)
class Selection:
    """Their `ids`, the latest first. `is_cut` where there are more than MOST; `is_unsearched` where some were not
    looked at, since no index finds what is wanted."""

    ids: list[UUID]
    is_cut: bool = False
    is_unsearched: bool = False


def select_some(ids: list[UUID]) -> Selection:
    """These, each once, and MOST at most. No query."""
    each = list(dict.fromkeys(ids))
    return Selection(each[:MOST], is_cut=len(each) > MOST)


def with_workflows(selection: Selection) -> Selection:
    """The same with the whole workflow, once, in place of each of its parts, which are retried with it alone.

    A query for each AT_ONCE of them.
    """
    whole: dict[UUID, UUID] = {}
    for some in in_pieces(selection.ids):
        parts = Task.select(Task.id, Task.root).where(Task.id.in_(some), Task.root.is_null(False))
        whole |= {task.id: cast(UUID, task.root_id) for task in parts}
    ids = dict.fromkeys(whole.get(task_id, task_id) for task_id in selection.ids)
    return replace(selection, ids=[*ids])


def in_pieces(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """The ids, AT_ONCE at a time: as many as one query takes."""
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def select_all(asked: DeskFilter) -> Selection:
    """All that a filter lets through, MOST at most. Three queries, or two for each of _MOST_LOOKS."""
    parts = desk_parts.parts_of(asked)
    list_of_them, found, place = OrderedParts(parts, desk_parts.MOST_LOOKED_AT), list[UUID](), None
    for _ in range(_MOST_LOOKS if parts else 0):
        some, place = list_of_them.ids(place, MOST - len(found))
        found += some
        if place is None or len(found) == MOST:
            break
    return Selection(found, is_cut=len(found) == MOST and place is not None, is_unsearched=place is not None)
