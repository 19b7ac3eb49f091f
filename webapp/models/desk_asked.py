"""What tasks somebody asks for at the desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tasks.engine.models.state import FINISHED, State
from webapp.models.bulk_actions.outcome_file import Acted
from webapp.models.user import User

WORKFLOW: Final = "workflow"  # as a kind: its work is that of its children


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a task must be like: what is empty demands nothing. For those whose role allows that.

    Times are naive UTC; the first of a span counts, the last does not. A span of ends leaves only what has ended.
    `arguments` are for operators alone, and so is what went wrong: viewers search `titles_only`.

    Without `internal`, there are neither internal tasks nor those that are being deleted; without `children`, none that
    are part of a workflow. Whoever asks for one `worker`, for one failure by its `fingerprint`, or for what a bulk
    action has `acted` on, gets all of these; those of a worker are looked for one by one.

    The latest come first: where an index finds them by state or kind, by their end or, while they have none, by when
    they were created; and else by when they were created. What else is wanted is looked for one by one, among the next
    `desk_parts.MOST_LOOKED_AT`: so a page may be short, or empty, and not the last.
    """

    owner: User | None = None
    kind: str = ""
    states: frozenset[State] = frozenset()
    worker: str = ""
    fingerprint: str = ""
    acted: Acted | None = None
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
