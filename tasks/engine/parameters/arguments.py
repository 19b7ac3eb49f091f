"""Arguments: what a task function was given, checked as a whole, stored in a row and read from it."""

from collections.abc import Iterable, Mapping

from peewee import Model

from tasks.engine.errors import TaskError
from tasks.engine.parameters.conversions import Place, Value
from tasks.engine.parameters.parameter import Parameter, WrongValue
from webapp.lib.json_types import Json


class InvalidArguments(ValueError):
    """Arguments that a task function does not take. `errors` maps a parameter's name to words for people."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


def check_arguments(parameters: tuple[Parameter, ...], arguments: Mapping[str, object]) -> dict[str, Value]:
    """The arguments completed with defaults, each as the function gets it.

    Raises InvalidArguments, naming each that is unknown, missing or wrong. What is one of somebody's own things is
    checked by `check_own` once it is known whose.
    """
    names = {parameter.name for parameter in parameters}
    errors = {name: "This task has no such parameter." for name in arguments if name not in names}
    complete = {}
    for parameter in parameters:
        if parameter.required and parameter.name not in arguments:
            errors[parameter.name] = "This field is required."
            continue
        try:
            complete[parameter.name] = parameter.check(arguments.get(parameter.name, parameter.default))
        except WrongValue as error:
            errors[parameter.name] = str(error)
    if errors:
        raise InvalidArguments(errors)
    return complete


def check_own(parameters: Iterable[Parameter], owner: Model, arguments: Mapping[str, Value]) -> None:
    """Raise InvalidArguments for what is not the owner's now. One query for each parameter that is a `Choice`."""
    chosen = {each.name: each.problem(arguments[each.name], owner) for each in parameters if each.own}
    if errors := {name: words for name, words in chosen.items() if words}:
        raise InvalidArguments(errors)


def dump_arguments(parameters: Iterable[Parameter], arguments: Mapping[str, Value], place: Place) -> dict[str, Json]:
    """Arguments that were checked as the row of a task has them; `place` then has the files among them."""
    return {each.name: each.dump(arguments[each.name], place) for each in parameters if each.name in arguments}


def load_arguments(parameters: Iterable[Parameter], saved: Mapping[str, Json], place: Place) -> dict[str, Value]:
    """Arguments as the function gets them, from what a row has; those that it does not know any more as they are.

    Raises TaskError, in words, for what is gone or has no meaning any more.
    """
    known = {parameter.name: parameter for parameter in parameters}
    loaded = {}
    for name, value in saved.items():
        try:
            loaded[name] = known[name].load(value, place) if name in known else value
        except (ValueError, LookupError, TypeError) as error:
            raise TaskError(f"{known[name].label} isn’t valid anymore. Run this task again from its form.") from error
    return loaded


def refill(parameters: Iterable[Parameter], saved: Mapping[str, Json], place: Place) -> dict[str, Value]:
    """The arguments of an earlier task with which a form can be filled in: no files, no secrets, nothing outdated."""
    fit: dict[str, Value] = {}
    for parameter in parameters:
        if parameter.name in saved and not parameter.type.again:
            try:
                fit |= load_arguments([parameter], {parameter.name: saved[parameter.name]}, place)
            except TaskError:
                continue  # it stays as it is in an empty form
    return fit
