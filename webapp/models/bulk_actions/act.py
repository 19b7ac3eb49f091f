"""Act: how an operator's action is done to one task, exactly as it was seen, or why it is not."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from peewee import DoesNotExist

from tasks.engine import registry
from tasks.engine.models.action_table import OWNER_ACTIONS, OwnerAction
from tasks.engine.models.actor import by_operator
from tasks.engine.models.locks import changing_if_free
from tasks.engine.models.observers import StartRefused
from tasks.engine.models.row import TaskRow
from tasks.engine.models.sealed import has_lost_secrets
from tasks.engine.models.state import FINISHED
from tasks.engine.models.task import Task
from tasks.engine.models.transitions import IllegalTransition
from tasks.engine.models.unique_key import AlreadyRunning
from webapp.db import database
from webapp.models.bulk_actions import BULK_NAME, PER_SECOND
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.steering import STEERING, OwnerSuspended, demand_in_use

BUSY_FOR = 3.0  # seconds for which a task is waited for that somebody else changes; only on PostgreSQL
_LOOK = 0.05


@dataclass(frozen=True)
class Seen:
    """A task as it was seen: `end` is the time of its end or, while it has none, of its latest change."""

    id: UUID
    end: datetime

    @classmethod
    def of(cls, task: TaskRow) -> "Seen":
        """As it is now. No query."""
        return cls(task.id, task.finished_at or task.updated_at)

    def __str__(self) -> str:
        return f"{self.id} {self.end.isoformat()}"

    @classmethod
    def read(cls, line: str) -> "Seen":
        """What its text says. Raises ValueError for what is none."""
        key, end = line.split(" ")
        return cls(UUID(key), datetime.fromisoformat(end))


def act_on(action: str, seen: Seen, reason: str) -> Outcome:
    """Do one of OWNER_ACTIONS to a task as an operator who gives that reason, or say why it is passed over.

    In one transaction, or in the caller's. What acts on an end, such as a retry, does so to the very end that was seen:
    a task that has run again since is passed over, however it ended. Four queries and those of the verb. Waits for at
    most BUSY_FOR where somebody else changes the task.
    """
    task = Task.get_or_none(Task.id == seen.id)
    if task is None:
        return Outcome.GONE
    until = time.monotonic() + BUSY_FOR
    while True:
        with changing_if_free(task) as is_free:
            if is_free:
                return _act(action, task, seen, reason)
        if time.monotonic() >= until:
            return Outcome.BUSY if task.fresh() else Outcome.GONE
        time.sleep(_LOOK)


class Pace:
    """PER_SECOND acts in a second and no more, also after a pause."""

    def __init__(self, sleep: Callable[[float], object]) -> None:
        self._sleep, self._next = sleep, 0.0

    def wait(self) -> None:
        """Wait for the turn of the next one. Hold no lock meanwhile."""
        if (left := self._next - time.monotonic()) > 0:
            self._sleep(left)
        self._next = max(self._next, time.monotonic()) + 1 / PER_SECOND


def why_not(action: OwnerAction, task: TaskRow) -> Outcome | None:
    """Why an action is passed over for a task as this row is; None if it works. No query."""
    if task.name == BULK_NAME:
        return Outcome.BULK
    if task.parent_id is not None:
        return Outcome.PART
    if _is_being_deleted(task):
        return Outcome.GONE
    if action.is_met_by(task):
        return Outcome.ALREADY
    if task.state not in action.moves:
        if task.is_finished:
            return Outcome.FINISHED
        return Outcome.ACTIVE if _acts_on_ends(action) else Outcome.UNABLE
    if action.allows(task, in_bulk=True):
        return None
    if has_lost_secrets(task.arguments):
        return Outcome.NO_SECRETS
    return Outcome.NEVER_RAN if action.allows(task) else Outcome.UNABLE


def _acts_on_ends(action: OwnerAction) -> bool:
    return bool(action.moves.keys() & FINISHED)


def _is_being_deleted(task: TaskRow) -> bool:
    """Whether it is hidden with its account, and not as the site's own work is."""
    function = registry.functions.get(task.name)
    return task.hidden and not (function and function.internal)


def _act(action: str, task: Task, seen: Seen, reason: str) -> Outcome:
    row = OWNER_ACTIONS[action]
    try:
        task.reload()
        if passed := why_not(row, task):
            return passed
        if _acts_on_ends(row) and Seen.of(task) != seen:
            return Outcome.CHANGED
        demand_in_use(task, STEERING[action])
        with database.atomic(), by_operator(reason):
            getattr(task, action)()
    except DoesNotExist:
        return Outcome.GONE
    except OwnerSuspended:
        return Outcome.SUSPENDED
    except IllegalTransition:
        return Outcome.UNABLE
    except AlreadyRunning:
        return Outcome.ANOTHER_RUNS
    except StartRefused:
        return Outcome.OVER_QUOTA
    return Outcome.STOPPING if task.is_stopping else Outcome.DONE
