"""A bulk action before it begins: which tasks it is about, in words and in numbers, and how to come back to them."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from werkzeug.datastructures import MultiDict

from webapp.lib.i18n import estimate, ngettext, number
from webapp.models import Task
from webapp.models.bulk_actions import MOST, PER_SECOND
from webapp.models.bulk_actions.action_words import BULK_ACTIONS, BULK_WORDS
from webapp.models.bulk_actions.outcomes import Outcome, passed_words
from webapp.models.bulk_actions.selection import Selection, select_all, select_some, with_workflows
from webapp.models.bulk_actions.snapshot import Snapshot, take_snapshot
from webapp.models.desk_filter import DeskFilter
from webapp.models.desk_query import BadFilter, describe, parse, written
from webapp.web.presenters.action_words import FINAL_ACTION
from webapp.web.presenters.desk.task_rows import DeskRow, rows_of

FIRST: Final = 10  # tasks that the page names
NOTHING: Final = "Choose what to do, and the tasks to do it to: tick some in the list, or search for them."
_MASKED: Final = "…"


@dataclass(frozen=True)
class BulkPlan:
    """What is asked for. `problem` says why nothing can come of it; then there is no action, or nothing is selected."""

    action: str
    asked: DeskFilter | None
    ids: tuple[UUID, ...]
    selection: Selection
    snapshot: Snapshot
    zone: str
    problem: str = ""

    @property
    def able(self) -> int:
        """To how many tasks it would be done."""
        return len(self.snapshot.able)

    @property
    def is_final(self) -> bool:
        """Whether nothing takes it back."""
        return self.action == FINAL_ACTION

    @property
    def what(self) -> str:
        """Like “Retry 312 tasks”."""
        return str(BULK_WORDS[self.action].title(number=self.able))

    @property
    def which(self) -> str:
        """Which tasks, like “failed tasks of the kind Export posts”."""
        if self.ids:
            return ngettext("%(num)s task ticked in the list", "%(num)s tasks ticked in the list", len(self.ids))
        return describe(self.asked, self.zone) if self.asked else ""

    @property
    def states(self) -> list[tuple[str, int]]:
        """How many of those to which it would be done are in which state, the most first."""
        return [(state.words, count) for state, count in self.snapshot.states.most_common()]

    @property
    def passed(self) -> list[str]:
        """Why others would be passed over, like “3 had already finished”."""
        return [str(words) for words in passed_words(self.snapshot.passed)]

    @property
    def limits(self) -> str:
        """What is not among them, since there are too many; empty if all are."""
        if self.selection.is_cut:
            return f"More than {number(MOST)} tasks are like this. These are the latest; do the others after them."
        return "Only the latest tasks were searched for these: there may be more." * self.selection.is_unsearched

    @property
    def takes(self) -> str:
        """About how long, in words."""
        return estimate(self.able / PER_SECOND)

    @property
    def pace(self) -> int:
        """How many in a second."""
        return PER_SECOND

    @property
    def query(self) -> dict[str, Any]:
        """By which the list is found again from which somebody comes."""
        return written(self.asked) if self.asked else {}

    def first(self) -> list[DeskRow]:
        """The latest FIRST of those to which it would be done. Two queries."""
        keys = self.snapshot.first(FIRST)
        found = {task.id: task for task in Task.by_ids(keys)}
        return rows_of([found[key] for key in keys if key in found])

    def for_audit(self) -> dict[str, Any]:
        """What was asked for, without what people have written and what they are called."""
        said = written(self.asked) if self.asked else {"ticked": len(self.ids)}
        masked = {name: _MASKED for name in said if name == "q" or name.startswith("arg.")}
        owner = {"owner": f"person {self.asked.owner.id}"} if self.asked and self.asked.owner else {}
        return {"action": self.action, "filter": said | masked | owner}


def plan(said: MultiDict[str, str], *, may_steer: bool, zone: str) -> BulkPlan:
    """What the query of a page, or its form, asks for. Some queries by index, of MOST tasks at most."""
    action, ids = said.get("action", ""), tuple(said.getlist("task", type=UUID)[:MOST])
    asked, problem = None, ""
    try:
        asked = parse(dict(said.items()), may_steer=may_steer, zone=zone)
    except BadFilter as error:
        problem = " ".join(error.problems.values())
    if action not in BULK_ACTIONS or not (ids or problem or (asked and written(asked))):
        problem, action = NOTHING, ""
    if problem or asked is None:
        return BulkPlan(action, asked, ids, Selection(), Snapshot(), zone, problem or NOTHING)
    selection = select_some(ids) if ids else select_all(asked)
    snapshot = take_snapshot(action, selection)
    if action == "retry" and snapshot.passed[Outcome.PART]:  # which works on the whole alone
        selection = with_workflows(selection)
        snapshot = take_snapshot(action, selection)
    return BulkPlan(action, asked, ids, selection, snapshot, zone)
