"""DeskFilter: which of everybody's tasks an operator wants to see, page by page, each at the same cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tasks.engine.models.state import FINISHED, State
from tasks.engine.models.task import Task
from webapp.models import desk_parts
from webapp.models.ordered_parts import OrderedParts, Place
from webapp.models.user import User

WORKFLOW: Final = "workflow"  # as a kind: its work is that of its children
AT_ONCE: Final = 500  # rows of one query of a walk


@dataclass(frozen=True, kw_only=True)
class DeskFilter:
    """What a task must be like: what is empty demands nothing. For those whose role allows that.

    Times are naive UTC; the first of a span counts, the last does not. A span of ends leaves only what has ended.
    `arguments` are for operators alone, and so is what went wrong: viewers search `titles_only`.

    Without `internal`, there are neither internal tasks nor those that are being deleted; without `children`, none that
    are part of a workflow. Whoever asks for one `worker`, or for one failure by its `fingerprint`, gets all of these.

    The latest come first: where an index finds them by state or kind, by their end or, while they have none, by when
    they were created; and else by when they were created. What else is wanted is looked for one by one, among the next
    `desk_parts.MOST_LOOKED_AT`: so a page may be short, or empty, and not the last.
    """

    owner: User | None = None
    kind: str = ""
    states: frozenset[State] = frozenset()
    worker: str = ""
    fingerprint: str = ""
    rescued: bool = False
    text: str = ""
    titles_only: bool = False
    created_after: datetime | None = None
    created_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    internal: bool = False
    children: bool = False

    @property
    def name(self) -> str | None:
        """The kind as rows have it, which is empty for workflows; None for any."""
        return ("" if self.kind == WORKFLOW else self.kind) if self.kind else None

    @property
    def wanted(self) -> frozenset[State]:
        """The states that are left; all of them where none is said."""
        states = self.states or frozenset(State)
        return states & FINISHED if self.ended_after or self.ended_before else states

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
