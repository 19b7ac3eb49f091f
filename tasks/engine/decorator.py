"""The decorator `@user_task`, which declares a function as a kind of task."""

import difflib
import inspect
from collections.abc import Callable
from dataclasses import fields

from tasks.engine import registry
from tasks.engine.declaration_error import DeclarationError
from tasks.engine.functions import Function, taking
from tasks.engine.options import Options
from tasks.engine.task_function import TaskFunction

Decorator = Callable[[Function[object]], TaskFunction]


@taking(Options)
def user_task(*title: object, **options: object) -> Decorator:
    """Declare a function as a kind of task. What it can be told are the fields of `Options`.

    The function's first parameter gets the Run; the others must be of the types that `parameters.types` lists, and
    what the function returns must be JSON. Raises DeclarationError, in one line that says what to write instead, for
    whatever could never work: no process starts with it.
    """
    if title and inspect.isfunction(title[0]) and next(iter(inspect.signature(title[0]).parameters), "") == "task":
        raise DeclarationError(title[0], "stands below @user_task alone: write @user_task(), with the parentheses")

    def declare(body: Function[object]) -> TaskFunction:
        function = TaskFunction(body, _read_options(body, title, options))
        registry.add(function)
        return function

    return declare


def _read_options(body: Function[object], title: tuple[object, ...], options: dict[str, object]) -> Options:
    known = [field.name for field in fields(Options)]
    for option in options:
        if option not in known:
            close = difflib.get_close_matches(option, known, 1)
            advice = f"write {close[0]}" if close else f"it has {', '.join(known)}"
            raise DeclarationError(body, f"@user_task has no option {option}: {advice}")
    if len(title) + ("title" in options) > 1:
        raise DeclarationError(body, "@user_task has one title: write every other option with its name")
    return Options(*title, **options)  # type: ignore[arg-type]  # `check_options` says what is wrong with them
