"""TaskFunction: what `@user_task` makes of a function, and the one door through which tasks start."""

import difflib
import hashlib
import inspect
import json
from collections.abc import Callable
from datetime import datetime
from inspect import cleandoc
from typing import Any, Never

from tasks.engine import declaration, registry
from tasks.engine.declaration import DeclarationError
from tasks.engine.parameter_reader import read_parameters
from tasks.engine.parameters import Parameter, check_arguments
from tasks.engine.preview_undo import Preview, Undo
from tasks.engine.retries import Retries
from tasks.engine.signature import Signature
from tasks.engine.uploads import as_json, store
from webapp.db import database
from webapp.models import Task, User


class TaskFunction:
    """A kind of task that people can start. Its name, form and description come from the function itself."""

    def __init__(
        self,
        body: Callable[..., Any],
        title: str | Callable[..., str] | None = None,
        one_at_a_time: bool | tuple[str, ...] = False,
        retries: int | Retries = 0,
        timeout: float | None = None,
        priority: int = 0,
        preview: Callable[..., Preview] | None = None,
        undo: Undo | None = None,
        listed: bool = True,
        internal: bool = False,
        total: int | Callable[..., int] | None = None,
    ) -> None:
        declaration.check_body(body)
        self.body = body
        self.name = body.__name__
        self.parameters: tuple[Parameter, ...] = read_parameters(body)
        self.one_at_a_time = one_at_a_time
        self.retries = retries if isinstance(retries, Retries) else Retries(retries)
        self.timeout = timeout
        self.priority = priority
        self.preview = preview
        self.undo = undo
        self.listed = listed and not internal
        self.internal = internal
        self.declared_title: str | Callable[..., str] = self.label if title is None else title
        self.declared_total = total
        declaration.check(self)

    @property
    def label(self) -> str:
        """The function's name as people read it, like 'Export posts'."""
        return self.name.replace("_", " ").capitalize()

    @property
    def takes_files(self) -> bool:
        """Whether its form sends any file."""
        return any(parameter.is_file for parameter in self.parameters)

    @property
    def description(self) -> str:
        """What it does: the function's docstring."""
        return cleandoc(self.body.__doc__ or "")

    def title(self, arguments: dict[str, Any]) -> str:
        """What one such task is called, from its arguments."""
        title = self.declared_title
        return title(**arguments) if callable(title) else title.format(**arguments)

    def total(self, arguments: dict[str, Any]) -> int | None:
        """How many steps one such task has, from its arguments; None where nobody knows before it runs.

        Raises ValueError for what is no number of steps.
        """
        total = self.declared_total
        number = total(**arguments) if callable(total) else total
        if number is not None and (not isinstance(number, int) or number < 0):
            raise ValueError(f"{self.name}: its total is {number!r}, which is no number of steps")
        return number

    def s(self, **arguments: Any) -> Signature:
        """The function with its arguments, as a part of a chain, a group or a chord. Raises InvalidArguments."""
        complete = check_arguments(self.parameters, arguments)
        return Signature(self.title(complete), lambda user, **place: self._start(user, complete, **place))

    def launch(self, user: User, *, run_at: datetime | None = None, **arguments: Any) -> Task:
        """Start a task for a user, or schedule it for `run_at` (naive UTC), and return its row.

        Raises InvalidArguments, or AlreadyRunning where only one at a time is allowed. The row is written now, in the
        caller's transaction if there is one; the queue hears of it after the commit. If the queue is down, or this
        process dies before, the sweeper sees to it, and this still succeeds.
        """
        return self.s(**arguments).launch(user, run_at=run_at)

    def under_way(self, user: User, **arguments: Any) -> Task | None:
        """The active task that would keep such a one from starting, where only one at a time is allowed."""
        key = self._unique_key(user, arguments)
        return Task.get_or_none(Task.active_unique_key == key) if key else None

    def _start(self, user: User, arguments: dict[str, Any], **place: Any) -> Task:
        saved, files = as_json(arguments)
        with database.atomic():
            task = Task.start(
                user, self.name, self.title(arguments), saved, unique_key=self._unique_key(user, arguments),
                retries=self.retries.times, priority=self.priority, hidden=self.internal, total=self.total(arguments),
                **place,
            )  # fmt: skip
            store(task, files)
        return task

    def _unique_key(self, user: User, arguments: dict[str, Any]) -> str | None:
        if not self.one_at_a_time:
            return None
        names = self.one_at_a_time if isinstance(self.one_at_a_time, tuple) else ()
        chosen = [arguments[name] for name in names]
        # A digest, because arguments may be longer than a key.
        digest = hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:32] if chosen else ""
        return f"{self.name}:{user.id}:{digest}"


def user_task(
    title: str | Callable[..., str] | None = None,
    one_at_a_time: bool | tuple[str, ...] = False,
    retries: int | Retries = 0,
    timeout: float | None = None,
    priority: int = 0,
    preview: Callable[..., Preview] | None = None,
    undo: Undo | None = None,
    listed: bool = True,
    internal: bool = False,
    total: int | Callable[..., int] | None = None,
    **unknown: Never,
) -> Callable[[Callable[..., Any]], TaskFunction]:
    """Declare a function as a kind of task.

    `title` is a format string over the arguments, or a function of them; without one it is the function's name. `total`
    is how many steps it has, or a function of the arguments that says so: written as it is started, shown while it
    waits, and what it weighs as a part of a chain, a group or a chord. With `one_at_a_time` a user has at most one
    such task under way; with a tuple of parameters' names, one for each combination of what these are. `retries` is
    how often an attempt that failed by an error that may pass is tried again, or a Retries that says more. `timeout`
    is how many seconds a run may take. Tasks of a higher `priority`, from -10 to 10, go before all others.
    `preview` is a function of the same arguments that says what the task would do; the form then offers that. `undo`
    says how a finished task is taken back. One that is not `listed` has no form of its own: only code starts it. One
    that is `internal` is the site's own work for a person, who sees and hears nothing of it; it is deleted soon after.

    The function's first parameter gets the Run; the others must be typed, and what they hold must be JSON, as must
    what the function returns. Raises DeclarationError, in one line that says what to write instead, for whatever
    could never work: no process starts with it.
    """
    if inspect.isfunction(title) and next(iter(inspect.signature(title).parameters), "") == "task":
        raise DeclarationError(title, "stands below @user_task alone: write @user_task(), with the parentheses")

    def declare(body: Callable[..., Any]) -> TaskFunction:
        for option in unknown:
            raise DeclarationError(body, f"@user_task has no option {option}: {_meant(option)}")
        function = TaskFunction(
            body, title, one_at_a_time, retries, timeout, priority, preview, undo, listed, internal, total
        )
        registry.add(function)
        return function

    return declare


def _meant(option: str) -> str:
    known = [name for name in inspect.signature(user_task).parameters if name != "unknown"]
    close = difflib.get_close_matches(option, known, 1)
    return f"write {close[0]}" if close else f"it has {', '.join(known)}"
