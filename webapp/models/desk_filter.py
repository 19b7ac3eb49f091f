"""DeskFilter: which of everybody's tasks an operator wants to see, page by page, each at the same cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tasks.engine.models.task import Task
from webapp.models import desk_parts
from webapp.models.desk_asked import WORKFLOW, Asked
from webapp.models.ordered_parts import OrderedParts, Place

__all__ = ["WORKFLOW", "DeskFilter"]
AT_ONCE: Final = 500  # rows of one query of a walk


@dataclass(frozen=True, kw_only=True)
class DeskFilter(Asked):
    """What is asked for, and the tasks that are like it."""

    def page(self, after: Place | None, size: int) -> tuple[list[Task], Place | None]:
        """As many as there are on a page that begins after a place, and the place where it ends; None at the end.

        At most four queries: which kinds have tasks in these states, how far to look, the ids, and the tasks.
        """
        parts = desk_parts.parts_of(self)
        return OrderedParts(parts, desk_parts.MOST_LOOKED_AT).page(after, size) if parts else ([], None)

    def walk(self, after: Place | None = None) -> Iterator[tuple[list[Task], Place | None]]:
        """All of them, by pages of AT_ONCE, each with the place where it ends, and None with the last.

        For a snapshot: whoever walks ends it when there are enough, or when too much has been looked at. What starts
        meanwhile comes before the first place, so that it is not met.
        """
        while True:
            tasks, after = self.page(after, AT_ONCE)
            yield tasks, after
            if after is None:
                return
