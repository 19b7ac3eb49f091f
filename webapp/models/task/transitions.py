"""Transitions: how a task changes its state. The verbs of `Task` say which transition is made; these say how any is.

Each is one conditional UPDATE, which succeeds for one caller or for none, in one transaction with its line in the
timeline and with the observers.
"""

import json
from functools import cache
from typing import Any
from uuid import UUID

from peewee import Database, JSONField, Node

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.task import changes as columns
from webapp.models.task import observers, signals
from webapp.models.task.event import TaskEvent
from webapp.models.task.locks import changing
from webapp.models.task.row import TaskRow
from webapp.models.task.state import FINISHED, LEASED, ON_RELEASE, OWNER_ACTIONS, State, sources_of

# What the timeline says of an owner action, by the state that it leads to.
_BY_OWNER = {
    State.CANCELED: "Canceled by you",
    State.CANCELING: "Canceled by you; stopping after the current step",
    State.PAUSED: "Paused by you",
    State.PAUSING: "Paused by you; stopping after the current step",
}
_ON_RELEASE = {State.PAUSED: "Paused", State.CANCELED: "Canceled"}
NO_TOKEN = "-"  # noqa: S105 - a fencing token that no run has


class IllegalTransition(Exception):
    """The task is in a state from which it cannot go there. `task` is as the database has it now."""

    def __init__(self, task: TaskRow, target: str) -> None:
        super().__init__(f"a task that is {task.state} cannot become {target}")
        self.task = task


class SecretsGone(IllegalTransition):
    """The task cannot be tried again: its secrets were deleted when it ended, and have to be entered anew."""


def attempt(task: TaskRow, target: State, text: str, condition: Any = True, **changes: Any) -> bool:
    """Make a transition if the table allows it from the task's present state and the condition holds."""
    model, changes = type(task), columns.of_state(target) | changes
    with database.transaction():
        allowed = model.id == task.id, model.state.in_(sources_of(target)), condition
        moved = model.update(**changes).where(*allowed).execute()
        if moved:
            _has_moved(task, target, text, changes)
    return bool(moved)


def demand(task: TaskRow, target: State, text: str, **changes: Any) -> None:
    """Make a transition. Raises IllegalTransition where the table does not allow it."""
    if not attempt(task, target, text, **changes):
        raise IllegalTransition(task.fresh(), target)


def ask(
    task: TaskRow, action: str, seen: State | None = None, words: dict[State, str] | None = None, **changes: Any
) -> None:
    """Make the transition of an owner action, from any state that has it or only from the one that was `seen`.

    `words` go into the timeline instead of the usual ones, by the state that the task comes to.
    Raises IllegalTransition where there is none.
    """
    model, wanted = type(task), OWNER_ACTIONS[action]
    as_seen = model.hidden == task.hidden  # otherwise it is being deleted
    for target in dict.fromkeys(wanted.values()):
        sources = [source for source, to in wanted.items() if to == target and seen in (None, source)]
        text = (_BY_OWNER | (words or {})).get(target, _on_again(task, action))
        given = {} if target in LEASED else changes
        if attempt(task, target, text, model.state.in_(sources) & as_seen, **given):
            return
    raise IllegalTransition(task.fresh(), next(iter(wanted.values())))


def _on_again(task: TaskRow, action: str) -> str:
    """What the timeline says of a task that its owner lets go on; what has never run is not retried by that."""
    return "Resumed by you" if action == "resume" else "Retried by you" if task.started_at else "Started by you"


def finish(task: TaskRow, target: State, text: str, **changes: Any) -> None:
    """End a task by the run that holds it. Raises IllegalTransition when the run does not hold it any more."""
    progress = {"done": task.done, "total": task.total}
    changes = columns.releasing_lease(task) | progress | columns.of_state(target) | changes
    fields = {type(task)._meta.fields[name]: value for name, value in changes.items()}
    values = [_as_parameter(field, value) for field, value in fields.items()]
    with changing(task):
        sql = _finish_sql(database.obj, target, *(field.column_name for field in fields))
        key = type(task).id.db_value(task.id), task.fencing_token or NO_TOKEN
        if not database.execute_sql(sql, (*values, *key)).rowcount:
            raise IllegalTransition(task.fresh(), target)
        _has_moved(task, target, text, changes)


def give_up_lease(task: TaskRow, target: State | None, text: str, **changes: Any) -> None:
    """Let go of a task before its end. What its owner asked for meanwhile comes before the `target` of the run."""
    leaving = columns.releasing_lease(task) | {"done": task.done, "total": task.total}
    with changing(task):
        if target and attempt(task, target, text, is_mine(task, State.IN_PROGRESS), **leaving | changes):
            if target == State.RETRYING:
                signals.announce(signals.retried, task)
            return
        for source, instead in ON_RELEASE.items():
            text = f"{_ON_RELEASE[instead]}: {why}" if (why := changes.get("error")) else _ON_RELEASE[instead]
            unused = {name: changes[name] for name in {"attempts"} & changes.keys() if instead == State.PAUSED}
            if attempt(task, instead, text, is_mine(task, source), **leaving | unused):
                return
    raise IllegalTransition(task.fresh(), target or State.CANCELED)


def record(task: TaskRow, condition: Any, tell: bool = True, **changes: Any) -> bool:
    """Write the progress of a run that holds the task. False, and nothing written, where the condition does not hold.

    Observers and signals hear of it only if this is to `tell`.
    """
    with changing(task) if tell else database.transaction():
        changes["updated_at"] = utcnow()
        written = type(task).update(**changes).where(is_mine(task), condition).execute()
        if written:
            task.__data__.update(changes)
        if written and tell:
            observers.changed(task)
            signals.announce(signals.progressed, task)
            observers.advanced(task)
    return bool(written)


def is_mine(task: TaskRow, state: State | None = None) -> Any:
    """The condition that this run still holds the task, by its fencing token. A row without one holds nothing."""
    model = type(task)
    mine = (model.id == task.id) & (model.fencing_token == (task.fencing_token or NO_TOKEN))
    return mine & (model.state == state) if state else mine


def tell(task: TaskRow, kind: str, text: str, link: UUID | None = None) -> None:
    """Add a line to its timeline, which its owner sees at once."""
    TaskEvent.write(task.id, kind, text, link=link)
    observers.changed(task)


def _has_moved(task: TaskRow, target: State, text: str, changes: dict[str, Any]) -> None:
    task.__data__.update({name: value for name, value in changes.items() if not isinstance(value, Node)})
    tell(task, target, text)
    if target in FINISHED:
        if gone := columns.forgetting_secrets(task):
            type(task).update(**gone).where(type(task).id == task.id).execute()
            task.__data__.update(gone)
        observers.finished(task)
        signals.announce(signals.stopped, task)
    elif target == State.PENDING and task.queue_key is not None:
        signals.announce(signals.enqueued, task)
    observers.advanced(task)


def _as_parameter(field: Any, value: Any) -> Any:
    """A value for a query that is spelled beforehand; JSON as its text, where Peewee would wrap it in SQL."""
    return json.dumps(value) if isinstance(field, JSONField) and value is not None else field.db_value(value)


@cache
def _finish_sql(db: Database, target: State, *names: str) -> str:
    """How a run ends its task: these columns' values, the task's id and the fencing token.

    Spelled once, since it comes with every task: building it anew would cost more than running it.
    """
    values = ", ".join(f"{name} = {db.param}" for name in names)
    sources = ", ".join(f"'{source}'" for source in sources_of(target))
    return f"UPDATE tasks SET {values} WHERE id = {db.param} AND owner = {db.param} AND state IN ({sources})"  # noqa: S608 - nothing in it comes from anybody
