"""Checks of the options of `@user_task`: what could never work is told when the task function is declared."""

from collections.abc import Callable
from math import isfinite
from typing import Protocol

from tasks.engine.declaration_error import DeclarationError
from tasks.engine.function_checks import refuses
from tasks.engine.functions import Function
from tasks.engine.models import Task
from tasks.engine.models.fair_queue import PRIORITIES
from tasks.engine.options import Options
from tasks.engine.parameters.parameter import Parameter
from tasks.engine.parameters.secret import Secret
from tasks.engine.retries import Retries
from tasks.engine.title_checks import bad_format, bad_wording, names_of
from webapp.lib.phrases import Wording

UNDO_GIVES = ["task_id", "title"]


class Declared(Protocol):
    """A task function, as far as its declaration goes."""

    body: Function[object]
    name: str
    parameters: tuple[Parameter, ...]
    options: Options

    @property
    def label(self) -> str:
        """The name as people read it."""

    @property
    def retries(self) -> Retries:
        """How it is tried again."""


def check_options(function: Declared) -> None:
    """Raise DeclarationError for the first thing that is wrong with what the decorator was given."""
    for find in CHECKS:
        if words := find(function):
            raise DeclarationError(function.body, words)


def _name(function: Declared) -> str | None:
    if len(function.name) <= (longest := Task.name.max_length):
        return None
    return f"has a name that no row can hold: write one of at most {longest} letters"


def _title(function: Declared) -> str | None:
    title = function.options.title
    if title is None:
        return None
    if isinstance(title, Wording):
        return bad_wording(title, function.parameters)
    if callable(title):
        return _cannot_call(title, "title", function)
    if not isinstance(title, str) or not title.strip():
        return f"its title is {title!r}: write a text, or leave it out, and the title is {function.label!r}"
    return bad_format(title, function.parameters)


def _one_at_a_time(function: Declared) -> str | None:
    names = function.options.one_at_a_time
    if isinstance(names, bool):
        return None
    known = {parameter.name: parameter for parameter in function.parameters}
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
        example = f'("{names if isinstance(names, str) else next(iter(known), "name")}",)'
        return f"one_at_a_time is {names!r}: write True, or a tuple of parameters' names like {example}"
    if unknown := [name for name in names if name not in known]:
        return f"one_at_a_time names {', '.join(unknown)}, and {names_of(function.parameters)}"
    if files := [name for name in names if known[name].is_file]:
        return f"it cannot be one at a time by a file, and {files[0]} is one: no two are the same"
    if secrets := [name for name in names if known[name].type.python is Secret]:
        return f"it cannot be one at a time by a secret, and {secrets[0]} is one: name another parameter"
    return None


def _retries(function: Declared) -> str | None:
    retries = function.retries
    if not _is_whole(retries.times, 0):
        return f"retries is {retries.times!r}: write how often to try again, 0 or more"
    if not (_is_number(retries.delay) and _is_number(retries.longest)):
        return "Retries has a wait that is no number of seconds: write 0 or more"
    if retries.on is not None and not _are_errors(retries.on):
        return "Retries has an `on` that is no tuple of exceptions: write one like on=(TimeoutError,)"
    return None


def _timeout(function: Declared) -> str | None:
    timeout = function.options.timeout
    if timeout is None or (_is_number(timeout) and timeout > 0):
        return None
    return f"timeout is {timeout!r}: write a number of seconds above 0, or None"


def _priority(function: Declared) -> str | None:
    priority = function.options.priority
    if _is_whole(priority, PRIORITIES[0]) and priority in PRIORITIES:
        return None
    return f"priority is {priority!r}: write a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}"


def _flags(function: Declared) -> str | None:
    flags = {name: getattr(function.options, name) for name in ("listed", "internal", "may_exceed_storage")}
    wrong = [f"{name} is {flag!r}" for name, flag in flags.items() if not isinstance(flag, bool)]
    return f"{wrong[0]}: write True or False" if wrong else None


def _total(function: Declared) -> str | None:
    total = function.options.total
    if callable(total):
        return _cannot_call(total, "total", function)
    if total is not None and not _is_whole(total, 0):
        return f"total is {total!r}: write a number of steps, or a function of the arguments that says it"
    return None


def _preview(function: Declared) -> str | None:
    preview = function.options.preview
    return None if preview is None else _cannot_call(preview, "preview", function)


def _undo(function: Declared) -> str | None:
    undo = function.options.undo
    if undo is None:
        return None
    parameters = getattr(getattr(undo, "function", None), "parameters", ())
    if sorted(p.name for p in parameters) != UNDO_GIVES or any(p.type.python is not str for p in parameters):
        return "its Undo needs a task function of its own: write @user_task(…) def name(task, task_id: str, title: str)"
    if not isinstance(undo.label, str) or not undo.label.strip():
        return f"its Undo has the label {undo.label!r}: write what its button says"
    if problem := refuses(undo.is_possible, 1):
        return f"the is_possible of its Undo {problem}: write def is_possible(task), where task is the finished one"
    return None


CHECKS: tuple[Callable[[Declared], str | None], ...] = (
    _name,
    _title,
    _one_at_a_time,
    _retries,
    _timeout,
    _priority,
    _flags,
    _total,
    _preview,
    _undo,
)


def _cannot_call(hook: object, option: str, function: Declared) -> str | None:
    """What is wrong with a function that is called with all arguments by their names."""
    names = [parameter.name for parameter in function.parameters]
    if problem := refuses(hook, 0, *names):
        return f"its {option} {problem}: write def {option}({', '.join(names)})"
    return None


def _is_whole(value: object, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0


def _are_errors(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, type) and issubclass(each, Exception) for each in value)
