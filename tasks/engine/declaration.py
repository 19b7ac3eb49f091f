"""Declarations: what is wrong with a task function is said when it is declared, and so ends the start of a process."""

import inspect
import re
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from tasks.engine.uploads import Upload
from webapp.lib.environment import CannotStart
from webapp.models import Task
from webapp.models.task.fair_queue import PRIORITIES

if TYPE_CHECKING:
    from tasks.engine.parameters import Parameter
    from tasks.engine.task_function import TaskFunction

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
UNDO_GIVES = ["task_id", "title"]
SAMPLES: dict[type, tuple[Any, ...]] = {
    str: ("text",),
    int: (-1, 10**30),
    float: (-1.5, 1e300),
    bool: (False, True),
    Upload: (Upload("text.txt", b""),),
}


class DeclarationError(CannotStart, TypeError):
    """A task function that can never work. Its text is one line: where it stands, what is wrong, what to write."""

    def __init__(self, body: Any, words: str) -> None:
        name = getattr(body, "__name__", None) or getattr(body, "name", repr(body))
        super().__init__(f"{place(body)}: {name}: {' '.join(words.split())}")


def check_body(body: Any) -> None:
    """Raise DeclarationError for anything but a plain function that runs to its end when it is called."""
    if not inspect.isfunction(body) or body.__name__ == "<lambda>":
        words = f"is {_kind(body)}, and a task function is written by def: its name is the task's"
    else:
        words = _not_plain(body)
    if words:
        raise DeclarationError(body, words)


def check(function: "TaskFunction") -> None:
    """Raise DeclarationError for the first thing that is wrong with what the decorator was given."""
    for find in CHECKS:
        if words := find(function):
            raise DeclarationError(function.body, words)


def _name(function: "TaskFunction") -> str | None:
    if len(function.name) <= (longest := Task.name.max_length):
        return None
    return f"has a name that no row can hold: write one of at most {longest} letters"


def _title(function: "TaskFunction") -> str | None:
    title = function.declared_title
    if callable(title):
        return _cannot_call(title, "title", function)
    if not isinstance(title, str) or not title.strip():
        return f"its title is {title!r}: write a text, or leave it out, and the title is {function.label!r}"
    return _bad_format(title, function.parameters)


def _one_at_a_time(function: "TaskFunction") -> str | None:
    names = function.one_at_a_time
    if isinstance(names, bool):
        return None
    known = {parameter.name: parameter for parameter in function.parameters}
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
        example = f'("{names if isinstance(names, str) else next(iter(known), "name")}",)'
        return f"one_at_a_time is {names!r}: write True, or a tuple of parameters' names like {example}"
    if unknown := [name for name in names if name not in known]:
        return f"one_at_a_time names {', '.join(unknown)}, and {_has(known)}"
    if files := [name for name in names if known[name].is_file]:
        return f"it cannot be one at a time by a file, and {files[0]} is one: no two are the same"
    return None


def _numbers(function: "TaskFunction") -> str | None:
    retries, timeout, priority = function.retries, function.timeout, function.priority
    if not _is_whole(retries.times, 0):
        return f"retries is {retries.times!r}: write how often to try again, 0 or more"
    if not (_is_number(retries.delay) and _is_number(retries.longest)):
        return "Retries has a wait that is no number of seconds: write 0 or more"
    if retries.on is not None and not _are_errors(retries.on):
        return "Retries has an `on` that is no tuple of exceptions: write one like on=(TimeoutError,)"
    if timeout is not None and not (_is_number(timeout) and timeout > 0):
        return f"timeout is {timeout!r}: write a number of seconds above 0, or None"
    if not _is_whole(priority, PRIORITIES[0]) or priority not in PRIORITIES:
        return f"priority is {priority!r}: write a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}"
    return None


def _total(function: "TaskFunction") -> str | None:
    total = function.declared_total
    if callable(total):
        return _cannot_call(total, "total", function)
    if total is not None and not _is_whole(total, 0):
        return f"total is {total!r}: write a number of steps, or a function of the arguments that says it"
    return None


def _preview(function: "TaskFunction") -> str | None:
    if function.preview is None:
        return None
    return _cannot_call(function.preview, "preview", function)


def _undo(function: "TaskFunction") -> str | None:
    undo = function.undo
    if undo is None:
        return None
    parameters = getattr(getattr(undo, "function", None), "parameters", ())
    if sorted(p.name for p in parameters) != UNDO_GIVES or any(p.type is not str for p in parameters):
        return "its Undo needs a task function of its own: write @user_task(…) def name(task, task_id: str, title: str)"
    if not isinstance(undo.label, str) or not undo.label.strip():
        return f"its Undo has the label {undo.label!r}: write what its button says"
    if problem := _refuses(undo.is_possible, 1):
        return f"the is_possible of its Undo {problem}: write def is_possible(task), where task is the finished one"
    return None


CHECKS: tuple[Callable[["TaskFunction"], str | None], ...] = (
    _name,
    _title,
    _one_at_a_time,
    _numbers,
    _total,
    _preview,
    _undo,
)


def check_listed(function: "TaskFunction") -> None:
    """Raise DeclarationError for a function with a page of its own that does not say there what it does."""
    if function.listed and not function.description:
        raise DeclarationError(function.body, "has no docstring: write what it does, as its page shows that to people")


def _not_plain(function: Callable[..., Any]) -> str:
    """What kind of function this is that returns before it has done anything; empty for a plain one."""
    if inspect.isasyncgenfunction(function) or inspect.iscoroutinefunction(function):
        return "is async, and nobody would await it: write def, and asyncio.run(…) inside where you need it"
    if inspect.isgeneratorfunction(function):
        return "has a yield, so that calling it would do nothing: take the yield out"
    return ""


def _cannot_call(hook: Any, option: str, function: "TaskFunction") -> str | None:
    """What is wrong with a function that is called with all arguments by their names."""
    names = [parameter.name for parameter in function.parameters]
    if problem := _refuses(hook, 0, *names):
        return f"its {option} {problem}: write def {option}({', '.join(names)})"
    return None


def _refuses(hook: Any, number: int, *names: str) -> str:
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


def _bad_format(title: str, parameters: "tuple[Parameter, ...]") -> str | None:
    """What would keep a title from being written, for whatever arguments; None if nothing can."""
    known = {parameter.name: parameter for parameter in parameters}
    try:
        parsed = list(Formatter().parse(title))
    except ValueError as error:
        return f"its title {title!r} cannot be read ({error}): write a brace that is meant as such twice"
    for _, name, spec, conversion in parsed:
        if name is None or spec is None:
            continue  # nothing but words
        plain = re.split(r"[.\[]", name)[0]
        written = f"{{{name}{'!' if conversion else ''}{conversion or ''}{':' if spec else ''}{spec}}}"
        if plain not in known:
            return f"its title has {written}, and {_has(known)}"
        if plain != name or "{" in spec or known[name].count:
            return f"its title has {written}, which is no single value: write a function of the arguments as the title"
        if problem := _bad_spec(spec, conversion, known[name]):
            return f"its title has {written}, and {name} cannot be written so: {problem}"
    return None


def _bad_spec(spec: str, conversion: str | None, parameter: "Parameter") -> str:
    """Why some value of a parameter cannot be written by a format; empty if each can."""
    for sample in parameter.choices or _samples(parameter):
        value = sample if parameter.is_file else parameter.type(sample)
        try:
            format(Formatter().convert_field(value, conversion), spec)
        except (ValueError, TypeError, OverflowError) as error:
            return str(error)
    return ""


def _samples(parameter: "Parameter") -> tuple[Any, ...]:
    """Values of a parameter that differ as much as any: its bounds, or what is as far off as there is none."""
    samples, bounds = SAMPLES[parameter.type], parameter.bounds
    if bounds is None or parameter.type is str:
        return samples
    low = min(samples[0], bounds.high or 0) if bounds.low is None else bounds.low
    return low, max(samples[1], low) if bounds.high is None else bounds.high


def _has(known: Any) -> str:
    return f"it has {', '.join(known)}" if known else "it has no parameters"


def _is_whole(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0


def _are_errors(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, type) and issubclass(each, Exception) for each in value)


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return "a class"
    return "a lambda" if getattr(value, "__name__", "") == "<lambda>" else f"a {type(value).__name__}"


def place(body: Any) -> str:
    """The file and the line of a function; of anything else, those where it was declared or listed."""
    code = getattr(inspect.unwrap(body) if callable(body) else body, "__code__", None)
    if code is not None:
        return f"{_short(code.co_filename)}:{code.co_firstlineno}"
    frame = inspect.currentframe()
    while frame and Path(frame.f_code.co_filename).parent == HERE:
        frame = frame.f_back
    return f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}" if frame else ""


def _short(path: str) -> str:
    return str(Path(path).relative_to(ROOT)) if Path(path).is_relative_to(ROOT) else path
