"""Parameters: what a task function asks for, as `parameter_reader` finds it in the signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

from tasks.engine.bounds import Bounds
from tasks.engine.uploads import Count, Upload, from_json, largest, too_large
from webapp.lib.i18n import ngettext, number
from webapp.lib.normalization import is_blank


class InvalidArguments(ValueError):
    """Arguments that a task function does not take. `errors` maps a parameter's name to words for people."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


@dataclass(frozen=True)
class Labels:
    """What people read for each choice of a parameter, in the order of the choices."""

    labels: tuple[str, ...]

    def __init__(self, *labels: str) -> None:
        object.__setattr__(self, "labels", tuple(map(str, labels)))


@dataclass(frozen=True)
class Parameter:
    """One parameter of a task function. `type` is str, int, float, bool or Upload; with a `count`, a list of these."""

    name: str
    type: type
    default: Any
    required: bool
    choices: tuple[Any, ...] = ()
    labels: tuple[str, ...] = ()
    bounds: Bounds | None = None  # of a number, or of how many characters a text has
    count: Count | None = None
    suffixes: tuple[str, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether it is one file or several."""
        return self.type is Upload

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ").capitalize()

    @property
    def options(self) -> list[tuple[str, str]]:
        """Each choice with its label."""
        return list(zip(map(str, self.choices), self.labels or map(str, self.choices), strict=True))

    @property
    def hint(self) -> str:
        """What people should know before they choose; empty for what is plain."""
        if not self.is_file:
            return ""
        files = f"{_files(self.count)}. " if self.count else ""
        kinds = f"{_either(self.suffixes)}, up" if self.suffixes else "Up"
        return f"{files}{kinds} to {largest()}{' in total' if self.count else ''}."

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, in words for the person who chose it, or None."""
        if self.is_file:
            return self._problem_of_files(value)
        if self.choices and value not in self.choices:
            return f"Choose {_either([label for _, label in self.options])}."
        # A bool is an int to Python, but nobody means True when asked for a number.
        if not isinstance(value, self.type) or (isinstance(value, bool) and self.type is not bool):
            return {int: "Enter a whole number.", float: "Enter a number."}.get(self.type, "Enter some text.")
        if isinstance(value, str) and "\0" in value:
            return "Remove the invalid character."
        if self.required and isinstance(value, str) and is_blank(value):
            return "This field is required."
        if isinstance(value, float) and not isfinite(value):
            return "Enter a number."
        return self._out_of_bounds(value) if self.bounds else None

    def _out_of_bounds(self, value: Any) -> str | None:
        bounds = cast(Bounds, self.bounds)
        if isinstance(value, str):
            return None if bounds.hold(len(value)) else bounds.problem_of_text(value)
        return None if bounds.hold(value) else bounds.problem_of_number()

    def _problem_of_files(self, value: Any) -> str | None:
        files = value if self.count and isinstance(value, list) else [value]
        if not files or not all(isinstance(file, Upload) for file in files):
            return "Choose at least one file." if self.count else "Choose a file."
        if self.count and not self.count.low <= len(files) <= self.count.high:
            return f"Choose {_files(self.count)}. You chose {number(len(files))}."
        for file in files:
            if too_large(file):
                return f"{file.name if self.count else 'That file'} is too large. The limit is {largest()}."
        problems = [self._problem_of_file(file) for file in files]
        if self.count and self.count.some_right and None in problems:
            return None
        return next(filter(None, problems), None)

    def _problem_of_file(self, file: Upload) -> str | None:
        if self.suffixes and not file.name.lower().endswith(self.suffixes):
            return f"{file.name} has the wrong file type. Use {_either(self.suffixes)}."
        if not file.size:
            return f"{file.name if self.count else 'That file'} is empty."
        return None


def check_arguments(parameters: tuple[Parameter, ...], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments completed with defaults. Raises InvalidArguments, naming each that is unknown, missing or wrong."""
    names = {parameter.name for parameter in parameters}
    errors = {name: "This task has no such parameter." for name in arguments if name not in names}
    complete = {}
    for parameter in parameters:
        if parameter.required and parameter.name not in arguments:
            errors[parameter.name] = "This field is required."
            continue
        value = arguments.get(parameter.name, parameter.default)
        # A whole number will do for a float, as it does in Python.
        complete[parameter.name] = float(value) if parameter.type is float and type(value) is int else value
        if problem := parameter.problem(complete[parameter.name]):
            errors[parameter.name] = problem
    if errors:
        raise InvalidArguments(errors)
    return complete


def read_back(parameters: tuple[Parameter, ...], saved: dict[str, Any]) -> dict[str, Any]:
    """Arguments as the function gets them, from what the task's row has: there, a file is its name and its id."""
    files = {parameter.name for parameter in parameters if parameter.is_file}
    return {name: from_json(value) if name in files else value for name, value in saved.items()}


def _files(count: Count) -> str:
    """How many files there may be, like '1 to 50 files' or '2 files'."""
    if count.low == count.high:
        return ngettext("%(num)s file", "%(num)s files", count.high)
    return ngettext("%(low)s to %(num)s file", "%(low)s to %(num)s files", count.high, low=number(count.low))


def _either(words: Sequence[str]) -> str:
    """Like '.csv, .tsv or .txt'."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
