"""Transitions: how a task changes its state. The verbs of `Task` say which transition is made; these say how any is.

Each is one conditional UPDATE, which succeeds for one caller or for none, in one transaction with its line in the
timeline and with the observers.
"""

import json
from functools import cache
from typing import Any
from uuid import UUID

from peewee import Database, JSONField, Node

from tasks.engine.models import changes as columns
from tasks.engine.models import observers, phrases, signals
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import FINISHED, LEASED, ON_RELEASE, OWNER_ACTIONS, State, sources_of
from tasks.engine.models.words import kept
from webapp.db import database
from webapp.lib.phrases import Phrase, Wording, Words
from webapp.lib.times import utcnow

NO_TOKEN = "-"  # noqa: S105 - a fencing token that no run has


class IllegalTransition(Exception):
    """The task is in a state from which it cannot go there. `task` is as the database has it now."""

    def __init__(self, task: TaskRow, target: str) -> None:
        super().__init__(f"a task that is {task.state} cannot become {target}")
        self.task = task


def attempt(task: TaskRow, target: State, words: Words, condition: Any = True, **changes: Any) -> bool:
    """Make a transition if the table allows it from the task's present state and the condition holds."""
    model, changes = type(task), columns.of_state(target) | changes
    with database.transaction():
        allowed = model.id == task.id, model.state.in_(sources_of(target)), condition
        moved = model.update(**changes).where(*allowed).execute()
        if moved:
            _has_moved(task, target, words, changes)
    return bool(moved)


def demand(task: TaskRow, target: State, words: Words, **changes: Any) -> None:
    """Make a transition. Raises IllegalTransition where the table does not allow it."""
    if not attempt(task, target, words, **changes):
        raise IllegalTransition(task.fresh(), target)


def ask(
    task: TaskRow, action: str, seen: State | None = None, words: dict[State, Wording] | None = None, **changes: Any
) -> None:
    """Make the transition of an owner action, from any state that has it or only from the one that was `seen`.

    `words` go into the timeline instead of the usual ones, by the state that the task comes to.
    Raises IllegalTransition where there is none.
    """
    model, wanted = type(task), OWNER_ACTIONS[action]
    as_seen = model.hidden == task.hidden  # otherwise it is being deleted
    for target in dict.fromkeys(wanted.values()):
        sources = [source for source, to in wanted.items() if to == target and seen in (None, source)]
        wording = (phrases.BY_OWNER | (words or {})).get(target, _on_again(task, action))
        given = {} if target in LEASED else changes
        if attempt(task, target, wording(), model.state.in_(sources) & as_seen, **given):
            return
    raise IllegalTransition(task.fresh(), next(iter(wanted.values())))


def _on_again(task: TaskRow, action: str) -> Wording:
    """What the timeline says of a task that its owner lets go on; what has never run is not retried by that."""
    if action == "resume":
        return phrases.RESUMED_BY_OWNER
    return phrases.RETRIED_BY_OWNER if task.started_at else phrases.STARTED_BY_OWNER


def finish(task: TaskRow, target: State, words: Words, **changes: Any) -> None:
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
        _has_moved(task, target, words, changes)


def give_up_lease(
    task: TaskRow, target: State | None = None, words: Words = "", error: Words = "", **changes: Any
) -> None:
    """Let go of a task before its end, because of an `error` if there is one.

    What its owner asked for meanwhile comes before the `target` of the run.
    """
    leaving = columns.releasing_lease(task) | {"done": task.done, "total": task.total}
    with changing(task):
        wrong = kept(error=error) if error else {}
        if target and attempt(task, target, words, is_mine(task, State.IN_PROGRESS), **leaving | wrong | changes):
            if target == State.RETRYING:
                signals.announce(signals.retried, task)
            return
        for source, instead in ON_RELEASE.items():
            unused = {name: changes[name] for name in {"attempts"} & changes.keys() if instead == State.PAUSED}
            if attempt(task, instead, _on_release(instead, error), is_mine(task, source), **leaving | unused):
                return
    raise IllegalTransition(task.fresh(), target or State.CANCELED)


def _on_release(instead: State, error: Words) -> Phrase:
    """What the timeline says of a task that is let go of as its owner asked for."""
    return phrases.STOPPED_BY_ERROR[instead](error=error) if error else phrases.STOPPED[instead]()


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


def tell(task: TaskRow, kind: str, words: Words, link: UUID | None = None) -> None:
    """Add a line to its timeline, which its owner sees at once."""
    TaskEvent.write(task.id, kind, words, link=link)
    observers.changed(task)


def _has_moved(task: TaskRow, target: State, words: Words, changes: dict[str, Any]) -> None:
    task.__data__.update({name: value for name, value in changes.items() if not isinstance(value, Node)})
    tell(task, target, words)
    if target in FINISHED:
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
