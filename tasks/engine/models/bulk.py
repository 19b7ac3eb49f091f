"""Bulk: one press of a button for many tasks. Each goes its own way by Task's own verb, in its own transaction."""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from peewee import SQL, Case, DoesNotExist, Expression, fn

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.observers import StartRefused
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from tasks.engine.models.transitions import IllegalTransition
from tasks.engine.models.unique_key import AlreadyRunning
from webapp.db import Row

if TYPE_CHECKING:
    from peewee import ModelSelect

MOST_AT_ONCE = 1000
LONGEST = 8.0  # seconds, after which a press leaves the rest for the next: people and proxies do not wait for ever
# Each has so many seconds. One at a time in each process goes on for longer: many would hold all of its threads.
SHORT = 1.0
_place = threading.Lock()


@dataclass
class BulkResult:
    """What a press did. `stopping` of those done stop at their next step; `passed` counts the others by their state,
    or by None for those that are not there any more; `duplicates` were refused because another active task
    has their unique key; `left` were not reached before the limit of time or number, or not started, as `refused`
    says."""

    done: int = 0
    stopping: int = 0
    left: int = 0
    duplicates: int = 0
    refused: StartRefused | None = None
    passed: Counter[State | None] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many tasks it was about."""
        return self.done + self.left + self.duplicates + self.passed.total()


def press(verb: str, tasks: "ModelSelect[Task]", most: int = MOST_AT_ONCE, longest: float = LONGEST) -> BulkResult:
    """Do one of OWNER_ACTIONS to those of a query's tasks for which it works, newest first.

    Ends after so many tasks or seconds, or after SHORT while another press of this process takes longer. A task that
    somebody else has moved meanwhile is counted and nothing more: presses may race with each other and with workers.
    Each task is counted once, whenever it moves.
    """
    able = OWNER_ACTIONS[verb].where(Task, in_bulk=True)
    found = list(tasks.where(able).limit(most))
    result = _others(able, tasks, found)
    with _Turn(longest) as turn:
        for number, task in enumerate(found):
            if turn.is_over():
                result.left += len(found) - number
                break
            if result.refused and task.is_finished:
                result.left += 1  # the others start nothing, so they are not refused
            else:
                _do(verb, task, result)
    return result


class _Turn:
    """For how long a press goes on: for SHORT, and up to its `longest` if there is room for that."""

    def __init__(self, longest: float) -> None:
        now = time.monotonic()
        self._until, self._end, self._is_long = now + min(SHORT, longest), now + longest, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_long:
            _place.release()

    def is_over(self) -> bool:
        """Whether it has to end now."""
        now = time.monotonic()
        if now > self._until and not self._is_long and now <= self._end and _place.acquire(blocking=False):
            self._until, self._is_long = self._end, True
        return now > self._until


def _others(able: Expression, tasks: "ModelSelect[Task]", found: list[Task]) -> BulkResult:
    """The tasks that are not found, as they are at one later moment: what has only now become able is left, too."""
    is_able = Case(None, [(able, 1)], 0)
    query = tasks.select(Task.state, is_able, fn.COUNT(Task.id)).order_by().group_by(Task.state, SQL("2"))
    result = BulkResult()
    rows: Iterable[Row] = query.where(Task.id.not_in([task.id for task in found])).tuples()
    for state, works, number in rows:
        if works:
            result.left += number
        else:
            result.passed[state] += number
    return result


def _do(verb: str, task: Task, result: BulkResult) -> None:
    try:
        getattr(task, verb)()
    except IllegalTransition as error:
        result.passed[error.task.state] += 1
    except AlreadyRunning:
        result.duplicates += 1
    except StartRefused as refused:
        result.refused = refused
        result.left += 1
    except DoesNotExist:
        result.passed[None] += 1
    else:
        result.done += 1
        result.stopping += task.is_stopping
