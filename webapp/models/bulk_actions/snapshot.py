"""Snapshot: the tasks of a bulk action as they are when it is asked for: what it would do, and what it passes over."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.composition import Composition
from tasks.engine.models.sealed import sealed
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from webapp.db import Row
from webapp.models.bulk_actions.act import Seen, why_not
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.bulk_actions.selection import DECIDES, ENDED, Selection, uuid_of
from webapp.models.steering import STEERING, lets_go_on


@dataclass
class Snapshot:
    """What an action would do: to those that are `able`, of which `states` has how many are in each; and why not to
    the others."""

    states: Counter[State] = field(default_factory=Counter)
    passed: Counter[Outcome] = field(default_factory=Counter)
    able: list[Row] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many tasks it is about."""
        return len(self.able) + self.passed.total()

    def first(self, number: int) -> list[UUID]:
        """The latest of those to which it would do it. No query."""
        return [uuid_of(row) for row in self.able[:number]]

    def seen(self) -> list[Seen]:
        """Those to which it would do it, the oldest first. No query."""
        as_datetime = cast(Any, Task.finished_at).python_value
        return [Seen(uuid_of(row), as_datetime(row[ENDED])) for row in reversed(self.able)]


def take_snapshot(action: str, selection: Selection) -> Snapshot:
    """What one of BULK_ACTIONS would do to the tasks of a selection. No query.

    What decides is the same for most: it is worked out once for each such group.
    """
    snapshot = Snapshot(passed=Counter({Outcome.GONE: selection.gone} if selection.gone else {}))
    able = set[Row]()
    for group, number in Counter(row[DECIDES:] for row in selection.rows).items():
        state, passed = _verdict(action, group)
        if passed:
            snapshot.passed[passed] += number
        else:
            snapshot.states[state] += number
            able.add(group)
    snapshot.able = [row for row in selection.rows if row[DECIDES:] in able]
    return snapshot


def _verdict(action: str, group: Row) -> tuple[State, Outcome | None]:
    name, state, composition, hidden, is_part, has_begun, has_lost, is_suspended = group
    task = Task(name=name, hidden=bool(hidden), parent=UUID(int=0) if is_part else None)
    task.state, task.composition = State(state), Composition(composition)
    task.arguments = {"": sealed(None)} if has_lost else {}
    task.started_at = datetime.min if has_begun else None
    passed = why_not(OWNER_ACTIONS[action], task)
    if passed is None and is_suspended and not hidden and lets_go_on(STEERING[action]):
        passed = Outcome.SUSPENDED
    return task.state, passed
