"""Snapshot: the tasks of a bulk action as they are when it is asked for: what it would do, and what it passes over."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from peewee import Case

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.sealed import lost_secrets_in, sealed
from tasks.engine.models.state import UNSUCCESSFUL, State
from tasks.engine.models.task import Task
from webapp.models.bulk_actions.act import Seen, why_not
from webapp.models.bulk_actions.outcomes import Outcome

_AT_ONCE: Final = 500  # ids in one query
_COLUMNS: Final = (
    *(Task.id, Task.name, Task.state, Task.composition, Task.parent, Task.hidden, Task.title, Task.title_phrase),
    *(Task.started_at, Task.finished_at, Task.updated_at),
)


@dataclass
class Snapshot:
    """What an action would do: to those `seen`, oldest first, of which `states` has how many are in each.

    `passed` counts the others by the reason. `first` are some of those that it would do, the latest.
    """

    seen: list[Seen] = field(default_factory=list)
    states: Counter[State] = field(default_factory=Counter)
    passed: Counter[Outcome] = field(default_factory=Counter)
    first: list[Task] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many tasks it is about."""
        return len(self.seen) + self.passed.total()


def take_snapshot(action: str, ids: Sequence[UUID], shown: int = 0) -> Snapshot:
    """What one of BULK_ACTIONS would do to the tasks of these ids, which are given the latest first.

    A small query for each _AT_ONCE of them; none of their arguments is read.
    """
    row, snapshot = OWNER_ACTIONS[action], Snapshot()
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        found = {task.id: task for task in _read(some)}
        for task in [found[task_id] for task_id in some if task_id in found]:
            if passed := why_not(row, task):
                snapshot.passed[passed] += 1
                continue
            snapshot.seen.append(Seen.of(task))
            snapshot.states[task.state] += 1
            if len(snapshot.first) < shown:
                snapshot.first.append(task)
        if gone := len(some) - len(found):
            snapshot.passed[Outcome.GONE] += gone
    snapshot.seen.reverse()
    return snapshot


def _read(ids: Sequence[UUID]) -> Iterator[Task]:
    """The tasks, with as much of their arguments as says whether secrets are lost."""
    is_lost = Case(None, [(Task.state.not_in(sorted(UNSUCCESSFUL)), 0), (lost_secrets_in(Task.arguments), 1)], 0)
    for task in Task.select(*_COLUMNS, is_lost.alias("has_lost_secrets")).where(Task.id.in_(ids)):
        task.arguments = {"": sealed(None)} if task.has_lost_secrets else {}
        yield task
