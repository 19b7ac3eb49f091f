"""Selection: the tasks that somebody has chosen for a bulk action: those of a search, or some by their ids."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from webapp.models import desk_parts
from webapp.models.bulk_actions import MOST
from webapp.models.desk_filter import DeskFilter
from webapp.models.ordered_parts import OrderedParts

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
