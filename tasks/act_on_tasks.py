"""Do one thing to many tasks, whosoever they are, for an operator: to each once, at a pace that fells nothing."""

from collections import Counter
from typing import TypedDict
from uuid import UUID

from tasks.engine import Run, TaskError, Upload, user_task
from tasks.lib.csv_cells import csv_row
from webapp.db import database
from webapp.lib.phrases import Phrase, phrase
from webapp.models import Task, User
from webapp.models.bulk_actions import (
    BATCH,
    auditing,  # noqa: F401 - an observer
)
from webapp.models.bulk_actions.act import Pace, Seen, act_on
from webapp.models.bulk_actions.action_words import BULK_WORDS
from webapp.models.bulk_actions.outcome_file import COLUMNS, FILE, Label, labels_of
from webapp.models.bulk_actions.outcomes import Outcome, count, summary
from webapp.models.bulk_actions.snapshot import Snapshot
from webapp.models.permissions import Action, may

SEEN = "tasks.txt"
FIRST = 10  # the priority: what an operator asks for does not wait behind the tasks that it is about
TITLE = phrase("act_on_tasks.title", "{what} for their owners")
REASON = phrase("act_on_tasks.reason", "Because: {reason}")
NOT_ALLOWED = phrase(
    "act_on_tasks.not_allowed", "You may not do this any more. The tasks that were left have been let be."
)


def start(operator: User, action: str, snapshot: Snapshot, reason: str) -> Task:
    """Begin to do one of BULK_ACTIONS to the tasks of a snapshot, and return the task that does.

    Raises AlreadyRunning where this operator has one that is not over, and StartRefused; then nothing is done.
    """
    number, tasks = len(snapshot.able), Upload(SEEN, "\n".join(map(str, snapshot.seen())).encode())
    with database.atomic():
        task = act_on_tasks.launch(operator, action=action, number=number, reason=reason, tasks=tasks)
        task.log(REASON(reason=reason))
    return task


def _title(action: str, number: int, **_: object) -> Phrase:
    return TITLE(what=BULK_WORDS[action].title(number=number))


def _total(number: int, **_: object) -> int:
    return number


@user_task(
    title=_title, total=_total, one_at_a_time=True, retries=2, listed=False, may_exceed_storage=True, priority=10
)
def act_on_tasks(task: Run, action: str, number: int, reason: str, tasks: Upload) -> str:
    """Do one thing to everybody’s tasks that an operator has chosen, and list what came of it for each."""
    seen = [Seen.read(line) for line in tasks.read().decode().splitlines()]
    tally, pace, is_allowed = _Tally(task.cursor), Pace(task.wait), False
    labels = dict[UUID, Label]()
    with task.artifact(FILE) as out:
        if out.size == 0:
            out.write(csv_row(*COLUMNS))
        for each in task.each(seen, every_step=True):
            if task.done % BATCH == 0 or not is_allowed:
                is_allowed = _demand_operator(task)
                labels = labels_of(next_one.id for next_one in seen[task.done : task.done + BATCH])
            pace.wait()
            tally.add(each, labels.get(each.id, Label()), act_on(action, each, reason))
            if len(tally.batch) == BATCH or task.done + 1 == number:
                out.write(tally.take_rows())
            task.cursor = tally.as_json()
    return str(summary(action, tally.counts))


def _demand_operator(task: Run) -> bool:
    """Raise TaskError unless whoever asked for it still may. One query."""
    if not may(User.get_or_none(User.id == task.user.id), Action.STEER):
        raise TaskError(NOT_ALLOWED())
    return True


class _Saved(TypedDict):
    """What the cursor has."""

    counts: dict[str, int]
    batch: list[list[str]]


class _Tally:
    """How many tasks came to which outcome, and the rows of the latest, up to a BATCH of them."""

    def __init__(self, saved: _Saved | None) -> None:
        self.counts: Counter[Outcome] = count(saved["counts"] if saved else {})
        self.batch: list[list[str]] = [*saved["batch"]] if saved else []

    def add(self, seen: Seen, label: Label, outcome: Outcome) -> None:
        self.counts[outcome] += 1
        self.batch.append([str(seen.id), label.kind, label.title, label.owner, str(outcome)])

    def take_rows(self) -> str:
        """The latest as rows of a CSV file; none of them is kept."""
        written = "".join(csv_row(*row) for row in self.batch)
        self.batch.clear()
        return written

    def as_json(self) -> _Saved:
        return {
            "counts": {str(outcome): number for outcome, number in self.counts.items()},
            "batch": self.batch,
        }
