"""Snapshot: the tasks of a bulk action as they are when it is asked for: what it would do, and what it passes over."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from peewee import Case, fn

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.composition import Composition
from tasks.engine.models.sealed import lost_secrets_in, sealed
from tasks.engine.models.state import UNSUCCESSFUL, State
from tasks.engine.models.task import Task
from webapp.db import Row, database
from webapp.models.bulk_actions.act import Seen, why_not
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.bulk_actions.selection import in_pieces


@dataclass
class Snapshot:
    """What an action would do: to those that are `able`, of which `states` has how many are in each; and why not to
    the others."""

    states: Counter[State] = field(default_factory=Counter)
    passed: Counter[Outcome] = field(default_factory=Counter)
    able: list[tuple[UUID, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many tasks it is about."""
        return len(self.able) + self.passed.total()

    def seen(self) -> list[Seen]:
        """Those to which it would do it, the oldest first. No query."""
        as_datetime = cast(Any, Task.finished_at).python_value
        return [Seen(key, as_datetime(end)) for key, end in reversed(self.able)]


def take_snapshot(action: str, ids: Sequence[UUID]) -> Snapshot:
    """What one of BULK_ACTIONS would do to the tasks of these ids, which are given the latest first.

    A query for each `selection.AT_ONCE` of them. What decides is the same for most: that is worked out once for each
    such group.
    """
    verdicts: dict[Row, tuple[State, Outcome | None]] = {}
    snapshot = Snapshot()
    for some in in_pieces(ids):
        rows = {UUID(str(row[0])): row for row in _rows(some)}
        for key in some:
            if key not in rows:
                snapshot.passed[Outcome.GONE] += 1
                continue
            _, end, *rest = rows[key]
            group = tuple(rest)
            if group not in verdicts:
                verdicts[group] = _verdict(action, group)
            state, passed = verdicts[group]
            if passed:
                snapshot.passed[passed] += 1
            else:
                snapshot.states[state] += 1
                snapshot.able.append((key, end))
    return snapshot


def _verdict(action: str, group: Row) -> tuple[State, Outcome | None]:
    name, state, composition, hidden, is_part, has_begun, has_lost = group
    task = Task(name=name, hidden=bool(hidden), parent=UUID(int=0) if is_part else None)
    task.state, task.composition = State(state), Composition(composition)
    task.arguments = {"": sealed(None)} if has_lost else {}
    task.started_at = datetime.min if has_begun else None
    return task.state, why_not(OWNER_ACTIONS[action], task)


def _rows(ids: Sequence[UUID]) -> Iterator[Row]:
    """The id and the time of the end of each, and what decides; of their arguments, only whether secrets are lost."""
    is_lost = Case(None, [(Task.state.not_in(sorted(UNSUCCESSFUL)), 0), (lost_secrets_in(Task.arguments), 1)], 0)
    is_part, has_begun = (Case(None, [(each.is_null(), 0)], 1) for each in (Task.parent, Task.started_at))
    decides = Task.name, Task.state, Task.composition, Task.hidden, is_part, has_begun, is_lost
    end = fn.COALESCE(Task.finished_at, Task.updated_at)
    return iter(database.execute(Task.select(Task.id, end, *decides).where(Task.id.in_(ids))))
