"""Held: how a run writes to the task that it holds, by its fencing token, as often as after each of its steps."""

from functools import cache

from peewee import ModelUpdate

from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from webapp.db import CompiledQuery, Param, compiled, params_of

NO_TOKEN = "-"  # noqa: S105 - a fencing token that no run has


def write_held(task: TaskRow, states: frozenset[State], **changes: object) -> bool:
    """Change a task if this run holds it and it is in one of these states. One query, compiled for these columns."""
    key = {"key": task.id, "held_by": task.fencing_token or NO_TOKEN}
    return bool(_writing(states, *changes).execute(**changes, **key).rowcount)


@cache
def _writing(states: frozenset[State], *names: str) -> CompiledQuery:
    @compiled
    def writing() -> ModelUpdate:
        written = params_of(*(TaskRow._meta.fields[name] for name in names))
        held = (TaskRow.id == Param("key")) & (TaskRow.fencing_token == Param("held_by"))
        return TaskRow.update(written).where(held, TaskRow.state.in_(sorted(states)))

    return writing
