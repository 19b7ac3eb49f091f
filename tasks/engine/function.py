"""TaskFunction: what `@user_task` makes of a function, and the one door through which tasks start."""

from collections.abc import Callable
from inspect import cleandoc
from typing import Any

from tasks.engine import registry
from tasks.engine.parameters import Parameter, check_arguments, read_parameters
from tasks.engine.perform import push
from webapp.database import after_commit
from webapp.models import Task, User


class TaskFunction:
    """A kind of task that people can start. Its name, form and description come from the function itself."""

    def __init__(self, body: Callable[..., Any], title: str | Callable[..., str], one_at_a_time: bool) -> None:
        self.body = body
        self.name = body.__name__
        self.parameters: tuple[Parameter, ...] = read_parameters(body)
        self.one_at_a_time = one_at_a_time
        self._title = title

    @property
    def label(self) -> str:
        """The function's name as people read it, like 'Export posts'."""
        return self.name.replace("_", " ").capitalize()

    @property
    def description(self) -> str:
        """What it does: the function's docstring."""
        return cleandoc(self.body.__doc__ or "")

    def title(self, arguments: dict[str, Any]) -> str:
        """What one such task is called, from its arguments."""
        return self._title(**arguments) if callable(self._title) else self._title.format(**arguments)

    def launch(self, user: User, **arguments: Any) -> Task:
        """Start a task for a user and return its row.

        Raises InvalidArguments, or AlreadyRunning where only one at a time is allowed. The row is written now, in the
        caller's transaction if there is one; the queue hears of it after the commit. If the queue is down the task
        waits in the outbox, and this still succeeds.
        """
        complete = check_arguments(self.parameters, arguments)
        unique_key = f"{self.name}:{user.id}" if self.one_at_a_time else None
        task = Task.start(user, self.name, self.title(complete), complete, unique_key)
        after_commit(lambda: push(task.id))
        return task


def user_task(
    title: str | Callable[..., str], one_at_a_time: bool = False
) -> Callable[[Callable[..., Any]], TaskFunction]:
    """Declare a function as a kind of task.

    `title` is a format string over the arguments, or a function of them. With `one_at_a_time` a user has at most one
    such task under way. The function's first parameter gets the Run; the others must be typed, and what they hold
    must be JSON. Raises ValueError when two functions share a name.
    """

    def declare(body: Callable[..., Any]) -> TaskFunction:
        function = TaskFunction(body, title, one_at_a_time)
        if registry.functions.setdefault(function.name, function) is not function:
            raise ValueError(f"two task functions are named {function.name}")
        return function

    return declare
