"""Bulk: one press of a button for many tasks. Each goes its own way by Task's own verb, in its own transaction."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peewee import SQL, Case, DoesNotExist, fn

from tasks.engine.models.composition import Composition
from tasks.engine.models.state import FINISHED, OWNER_ACTIONS, State
from tasks.engine.models.task import Task
from tasks.engine.models.transitions import IllegalTransition
from tasks.engine.models.unique_key import AlreadyRunning

if TYPE_CHECKING:
    from peewee import ModelSelect

MOST_AT_ONCE = 1000
LONGEST = 8.0  # seconds, after which a press leaves the rest for the next: people and proxies do not wait for ever

# What each press asks of a task, by the verb of Task that does it: in which tasks that works.
_HAS_RUN = Task.started_at.is_null(False)
_ABLE: dict[str, Any] = {
    # What was canceled before it ran, a mail before its time say, is not tried again: that is to start it after all.
    "retry": Task.state.in_([State.FAILED, State.RETRYING]) | ((Task.state == State.CANCELED) & _HAS_RUN),
    "pause": Task.state.in_(sorted(OWNER_ACTIONS["pause"])) & (Task.composition == Composition.SINGLE),
    "resume": Task.state.in_(sorted(OWNER_ACTIONS["resume"])),
    "cancel": Task.state.in_(sorted(OWNER_ACTIONS["cancel"])),
    "dismiss": Task.state.in_(sorted(FINISHED)) & Task.dismissed_at.is_null(),
    "remove": Task.state.in_(sorted(FINISHED)),
}
VERBS = tuple(_ABLE)


@dataclass
class Outcome:
    """What a press did. `stopping` of those done stop at their next step; `passed` counts the others by their state,
    or by None for those that are not there any more; `duplicates` were refused because another active task
    has their unique key; `left` were not reached before the limit of time or number."""

    done: int = 0
    stopping: int = 0
    left: int = 0
    duplicates: int = 0
    passed: Counter[State | None] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many tasks it was about."""
        return self.done + self.left + self.duplicates + self.passed.total()


def press(verb: str, tasks: "ModelSelect[Task]", most: int = MOST_AT_ONCE, longest: float = LONGEST) -> Outcome:
    """Do what VERBS allow to those of a query's tasks for which it works, newest first.

    Ends after so many tasks or seconds. A task that somebody else has moved meanwhile is counted and nothing more:
    presses may race with each other and with workers. Each task is counted once, whenever it moves.
    """
    found = list(tasks.where(_ABLE[verb]).limit(most))
    outcome = _others(verb, tasks, found)
    until = time.monotonic() + longest
    for number, task in enumerate(found):
        if time.monotonic() > until:
            outcome.left += len(found) - number
            break
        _do(verb, task, outcome)
    return outcome


def _others(verb: str, tasks: "ModelSelect[Task]", found: list[Task]) -> Outcome:
    """The tasks that are not found, as they are at one later moment: what has only now become able is left, too."""
    able: Any = Case(None, [(_ABLE[verb], 1)], 0)
    query: Any = tasks.select(Task.state, able, fn.COUNT(Task.id)).order_by().group_by(Task.state, SQL("2"))
    outcome = Outcome()
    for state, is_able, number in query.where(Task.id.not_in([task.id for task in found])).tuples():
        if is_able:
            outcome.left += number
        else:
            outcome.passed[state] += number
    return outcome


def _do(verb: str, task: Task, outcome: Outcome) -> None:
    try:
        getattr(task, verb)()
    except IllegalTransition as error:
        outcome.passed[error.task.state] += 1
    except AlreadyRunning:
        outcome.duplicates += 1
    except DoesNotExist:
        outcome.passed[None] += 1
    else:
        outcome.done += 1
        outcome.stopping += task.state in (State.CANCELING, State.PAUSING)
