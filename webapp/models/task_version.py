"""The version of a task: what tells a reader that there is something new to read, for as little as that can cost."""

from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import ModelSelect

from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from webapp.db import Param, compiled

Version = tuple[State, int, datetime]


def version_of(task: Task) -> Version:
    """That of a row as it was read."""
    return task.state, task.moves, task.updated_at


def present_version(task_id: UUID) -> Version | None:
    """That of the task as it is now; None once it is deleted. One query, compiled, by its key."""
    row = _version.first(task_id=task_id)
    if row is None:
        return None
    state, moves, updated_at = row
    field: Any = Task.updated_at
    return State(state), moves, field.python_value(updated_at)


@compiled
def _version() -> "ModelSelect[Task]":
    return Task.select(Task.state, Task.moves, Task.updated_at).where(Task.id == Param("task_id"))
