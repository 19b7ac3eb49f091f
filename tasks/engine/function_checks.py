"""Checks of Python functions: whether one can be a task function, or a hook that is called with given arguments."""

import inspect

from tasks.engine.declaration_error import DeclarationError
from tasks.engine.functions import Function


def check_body(body: object) -> None:
    """Raise DeclarationError for anything but a plain function that runs to its end when it is called."""
    if not inspect.isfunction(body) or body.__name__ == "<lambda>":
        words = f"is {_kind(body)}, and a task function is written by def: its name is the task's"
    else:
        words = _not_plain(body)
    if words:
        raise DeclarationError(body, words)


def refuses(hook: object, number: int, *names: str) -> str:
    """Why a hook cannot be called with so many arguments, and these by name; empty if it can."""
    if not callable(hook):
        return f"is {_kind(hook)}, and no function"
    if words := _not_plain(hook):
        return words.partition(",")[0]
    try:
        inspect.signature(hook).bind(*range(number), **dict.fromkeys(names))
    except TypeError as error:
        given = ", ".join(names) if names else f"{number} argument"
        return f"is given {given}, which it does not take ({error})"
    except ValueError:  # something built in, which does not say what it takes
        pass
    return ""


def _not_plain(function: Function[object]) -> str:
    """What kind of function this is that returns before it has done anything; empty for a plain one."""
    if inspect.isasyncgenfunction(function) or inspect.iscoroutinefunction(function):
        return "is async, and nobody would await it: write def, and asyncio.run(…) inside where you need it"
    if inspect.isgeneratorfunction(function):
        return "has a yield, so that calling it would do nothing: take the yield out"
    return ""


def _kind(value: object) -> str:
    if isinstance(value, type):
        return "a class"
    return "a lambda" if getattr(value, "__name__", "") == "<lambda>" else f"a {type(value).__name__}"
