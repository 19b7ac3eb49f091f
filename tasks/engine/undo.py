"""Undo: how a finished task is taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from peewee import Model

from tasks.engine.models import Task


class Launchable(Protocol):
    """A task function, as far as an Undo needs it."""

    name: str
    is_undo: bool  # it is offered where there is something to take back, and nowhere else

    @property
    def label(self) -> str:
        """The name as people read it."""

    def launch(self, user: Model, *, task_id: str, title: str) -> Task:
        """Start a task of it."""

    def under_way(self, user: Model, *, task_id: str, title: str) -> Task | None:
        """The active task that keeps such a one from starting."""


@dataclass(frozen=True)
class Undo:
    """Takes a finished task back by a task of `function`, which is given its `task_id` and its `title`.

    `label` is what its button says. `is_possible` says whether there is anything left to take back.
    """

    label: str
    function: Launchable
    is_possible: Callable[[Task], bool]

    def can_undo(self, task: Task) -> bool:
        """Whether this task can be taken back now."""
        return task.is_finished and self.is_possible(task)

    def under_way(self, task: Task) -> Task | None:
        """The task that is taking it back now, if there is one."""
        return self.function.under_way(task.user, task_id=str(task.id), title=task.title)

    def launch(self, task: Task, user: Model) -> Task:
        """Take a task back. Raises AlreadyRunning while that is under way."""
        return self.function.launch(user, task_id=str(task.id), title=task.title)
