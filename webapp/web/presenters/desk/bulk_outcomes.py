"""What has come of a bulk action so far: how many tasks to which outcome, and the way to their rows."""

from dataclasses import dataclass

from flask import url_for

from tasks.engine.models.row import TaskRow
from webapp.models.bulk_actions import BULK_NAME
from webapp.models.bulk_actions.outcome_file import Acted
from webapp.models.bulk_actions.outcomes import Outcome, count
from webapp.models.permissions import Action, may
from webapp.models.user import User

LEFT = "Not reached"


@dataclass(frozen=True)
class OutcomeCount:
    """One outcome in `words`, and how many tasks came to it. `note` says why nothing was done, where nothing was; `url`
    is the list of these tasks, empty where there is none."""

    words: str
    note: str
    number: int
    url: str = ""


def outcomes_of(task: TaskRow, reader: User) -> list[OutcomeCount]:
    """The outcomes of a bulk action, what was done first; none for any other task.

    One query, for those who may see the tasks; their lists are there as long as the file of the bulk action is.
    """
    if task.name != BULK_NAME:
        return []
    counts = count(((task.cursor or {}).get("own") or {}).get("counts", {}))
    is_listed = bool(counts) and may(reader, Action.VIEW_DESK) and Acted(task.id).file is not None
    rows = [_row(task, outcome, counts[outcome], is_listed) for outcome in Outcome if counts[outcome]]
    left = (task.total or 0) - counts.total()
    return [*rows, OutcomeCount(LEFT, "", left)] if left > 0 else rows


def _row(task: TaskRow, outcome: Outcome, number: int, is_listed: bool) -> OutcomeCount:
    words = "Done" if outcome.is_done else "Gone" if outcome is Outcome.GONE else "Skipped"
    note = "" if outcome in (Outcome.DONE, Outcome.GONE) else str(outcome)
    is_linked = is_listed and outcome is not Outcome.GONE
    return OutcomeCount(words, note, number, url_for("desk.tasks", bulk=Acted(task.id, outcome)) if is_linked else "")
