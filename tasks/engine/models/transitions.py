"""Transitions: how a task changes its state. The verbs of `Task` say which transition is made; these say how any is.

Each is one conditional UPDATE, which succeeds for one caller or for none, in one transaction with its line in the
timeline and with the observers.
"""

from functools import cache
from uuid import UUID

from peewee import Expression, ModelUpdate, Node

from tasks.engine.models import actor, column_changes, observers, phrases, signals
from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.held import NO_TOKEN, write_held
from tasks.engine.models.locks import changing
from tasks.engine.models.phrases import By
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import FINISHED, LEASED, ON_RELEASE, State, sources_of
from tasks.engine.models.words import Changes, kept
from webapp.db import CompiledQuery, Param, compiled, database, params_of
from webapp.lib.phrases import Phrase, Wording, Words
from webapp.lib.times import utcnow

Condition = Expression | bool


class IllegalTransition(Exception):
    """The task is in a state from which it cannot go there. `task` is as the database has it now."""

    def __init__(self, task: TaskRow, target: str) -> None:
        super().__init__(f"a task that is {task.state} cannot become {target}")
        self.task = task


class SecretsGone(IllegalTransition):
    """The task cannot be tried again: its secrets were deleted when it ended, and have to be entered anew."""


def attempt(task: TaskRow, target: State, words: Words, condition: Condition = True, **changes: object) -> bool:
    """Make a transition if the table allows it from the task's present state and the condition holds."""
    with database.transaction():
        allowed = type(task).state.in_(sources_of(target)) & condition
        moved = write(task, allowed, **column_changes.of_state(target) | changes)
        if moved:
            _has_moved(task, target, words)
    return moved


def write(task: TaskRow, condition: Condition, **changes: object) -> bool:
    """Change a task, and count that in `moves`, if the condition holds; False, and nothing written, if not. One query.

    For all that readers of a task see of it but the progress of its run, which is not counted: whoever has seen a
    number of `moves` may ask that nothing but progress came since. A release from before that column does not count,
    so compare the state as well; and a version of all that is shown consists of `moves` and `updated_at`.
    """
    model = type(task)
    query = model.update(**changes, moves=model.moves + 1).where(model.id == task.id, condition)
    written = database.execute(query.returning(model.moves)).fetchall()
    if written:
        _take_over(task, changes | {"moves": written[0][0]})
    return bool(written)


def demand(task: TaskRow, target: State, words: Words, **changes: object) -> None:
    """Make a transition. Raises IllegalTransition where the table does not allow it."""
    if not attempt(task, target, words, True, **changes):
        raise IllegalTransition(task.fresh(), target)


def ask(
    task: TaskRow, action: str, seen: State | None = None, words: dict[State, Wording] | None = None, **changes: object
) -> None:
    """Make the transition of an owner action, from any state that has it or only from the one that was `seen`.
    `words` go into the timeline instead of the usual ones, by the state that the task comes to.
    Raises IllegalTransition where there is none.
    """
    model, row, who = type(task), OWNER_ACTIONS[action], actor.current()
    as_seen = model.hidden == task.hidden  # otherwise it is being deleted
    targets = [*dict.fromkeys(row.moves.values())]
    # The first once more at the end: a run may have let go of the task meanwhile.
    for target in targets + targets[:-1]:
        sources = [source for source, to in row.moves.items() if to == target and seen in (None, source)]
        wording = who.by.stopped.get(target, _on_again(task, action, who.by))
        said = words[target]() if words and target in words else who.says(wording)
        given = {} if target in LEASED else changes
        if attempt(task, target, said, model.state.in_(sources) & as_seen & row.where(model), **given):
            return
    raise IllegalTransition(task.fresh(), next(iter(row.moves.values())))


def _on_again(task: TaskRow, action: str, by: By) -> Wording:
    """What the timeline says of a task that is let go on; what has never run is not retried by that."""
    if action == "resume":
        return by.resumed
    return by.retried if task.started_at else by.started


def finish(task: TaskRow, target: State, words: Words, **changes: object) -> None:
    """End a task by the run that holds it. Raises IllegalTransition when the run does not hold it any more.

    The object does not learn what `moves` the row has then: SQLite takes twice as long for an UPDATE that says so.
    """
    progress = {"done": task.done, "total": task.total}
    changes = column_changes.releasing_lease(task) | progress | column_changes.of_state(target) | changes
    if task.unique_key is None:
        del changes["active_unique_key"]  # it is null, and to write that again would cost the write of an index
    with changing(task):
        key = {"key": task.id, "held_by": task.fencing_token or NO_TOKEN}
        if not _finishing(target, *changes).execute(**changes, **key).rowcount:
            raise IllegalTransition(task.fresh(), target)
        _take_over(task, changes)
        _has_moved(task, target, words)


def give_up_lease(
    task: TaskRow, target: State | None = None, words: Words = "", error: Words = "", **changes: object
) -> None:
    """Let go of a task before its end, because of an `error` if there is one.

    What its owner asked for meanwhile comes before the `target` of the run.
    """
    leaving = column_changes.releasing_lease(task) | {"done": task.done, "total": task.total}
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


def record(task: TaskRow, states: frozenset[State], tell: bool = True, **changes: object) -> bool:
    """Write the progress of a run that holds the task. False, and nothing written, unless it is in one of the states.

    Observers and signals hear of it only if this is to `tell`. Compiled, as a run may do this after each step.
    """
    with changing(task) if tell else database.transaction():
        changes["updated_at"] = utcnow()
        written = write_held(task, states, **changes)
        if written:
            task.__data__.update(changes)
        if written and tell:
            observers.changed(task)
            signals.announce(signals.progressed, task)
            observers.advanced(task)
    return written


def is_mine(task: TaskRow, state: State | None = None) -> Expression:
    """The condition that this run still holds the task, by its fencing token. A row without one holds nothing."""
    model = type(task)
    mine = (model.id == task.id) & (model.fencing_token == (task.fencing_token or NO_TOKEN))
    return mine & (model.state == state) if state else mine


def tell(task: TaskRow, kind: str, words: Words, link: UUID | None = None) -> None:
    """Add a line to its timeline, which its owner sees at once."""
    TaskEvent.write(task.id, kind, words, link=link)
    observers.changed(task, ends=kind in FINISHED)


def _take_over(task: TaskRow, changes: Changes) -> None:
    """Let the object know what was written, except for what the database has worked out."""
    task.__data__.update({name: value for name, value in changes.items() if not isinstance(value, Node)})


def _has_moved(task: TaskRow, target: State, words: Words) -> None:
    tell(task, target, words)
    if target in FINISHED:
        if gone := column_changes.forgetting_secrets(task):
            type(task).update(**gone).where(type(task).id == task.id).execute()
            task.__data__.update(gone)
        observers.finished(task)
        signals.announce(signals.finished, task)
    elif target == State.PENDING and task.queue_key is not None:
        signals.announce(signals.enqueued, task)
    observers.advanced(task)


@cache
def _finishing(target: State, *names: str) -> CompiledQuery:
    """How a run ends its task, by its `key` and the fencing token that it is `held_by`."""

    @compiled
    def finishing() -> ModelUpdate:
        written = params_of(*(TaskRow._meta.fields[name] for name in names)) | {TaskRow.moves: TaskRow.moves + 1}
        held = (TaskRow.id == Param("key")) & (TaskRow.fencing_token == Param("held_by"))
        return TaskRow.update(written).where(held, TaskRow.state.in_(sources_of(target)))

    return finishing
