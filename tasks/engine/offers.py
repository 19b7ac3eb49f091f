"""What a task function may offer besides being started: a look at what it would do, and a way back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from webapp.models import Task, User

if TYPE_CHECKING:
    from tasks.engine.function import TaskFunction


@dataclass(frozen=True)
class Preview:
    """What a task would do, before it starts: the first rows of a table, and what is wrong with some.

    `notes` say how it understood what it was given, a sentence each.
    """

    words: str
    head: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Undo:
    """How a finished task is taken back: by a task of `function`, which is given its `task_id` and its `title`.

    `is_possible` says whether there is anything left to take back.
    """

    label: str
    function: "TaskFunction"
    is_possible: Callable[[Task], bool]

    def offered(self, task: Task) -> bool:
        """Whether this task can be taken back now."""
        return task.is_finished and self.is_possible(task)

    def under_way(self, task: Task) -> Task | None:
        """What is taking it back now, if anything is."""
        return self.function.under_way(task.user, task_id=str(task.id), title=task.title)

    def launch(self, task: Task, user: User) -> Task:
        """Take a task back. Raises AlreadyRunning while that is under way."""
        return self.function.launch(user, task_id=str(task.id), title=task.title)
