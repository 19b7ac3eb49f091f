"""Arguments as programs send them: an object of JSON, and the files that come beside it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from peewee import Model

from tasks.engine.parameters.arguments import InvalidArguments
from tasks.engine.parameters.conversions import NOWHERE, Value
from tasks.engine.parameters.files import either, problem_of_files
from tasks.engine.parameters.json_values import same
from tasks.engine.parameters.parameter import Parameter, WrongValue
from tasks.engine.uploads import Upload
from webapp.lib.i18n import number
from webapp.lib.json_types import Json

MOST_ERRORS: Final = 100  # that are told at once
Files = Mapping[str, Sequence[Upload]]
NO_FILES: Final[Files] = MappingProxyType({})


def read_json_arguments(
    parameters: Iterable[Parameter], given: Mapping[str, Json], files: Files, owner: Model | None
) -> dict[str, Value]:
    """The arguments completed with defaults, each as the function gets it.

    Raises InvalidArguments, whose errors have pointers for names: `seconds`, or `numbers/3` for the fourth of a list.
    One query for each parameter that is a `Choice`, where the owner is given.
    """
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [name for name in (*given, *files) if name not in known]
    errors = {escaped(name): "This task has no such parameter." for name in unknown[:MOST_ERRORS]}
    complete: dict[str, Value] = {}
    for name, parameter in known.items():
        try:
            complete[name] = _read(parameter, given, files, owner)
        except WrongValue as error:
            errors[name] = str(error)
        except _WrongItems as error:
            errors |= {f"{name}/{index}": words for index, words in error.errors.items()}
    if errors:
        raise InvalidArguments(dict(list(errors.items())[:MOST_ERRORS]))
    return complete


class _WrongItems(ValueError):
    """What is wrong with some of a list, in words for people, by the index of each."""

    def __init__(self, errors: dict[int, str]) -> None:
        super().__init__(errors)
        self.errors = errors


def _read(parameter: Parameter, given: Mapping[str, Json], files: Files, owner: Model | None) -> Value:
    name = parameter.name
    if name in files:
        return _files(parameter, files[name], name in given)
    if name not in given:
        if parameter.required:
            raise WrongValue("This field is required.")
        return parameter.check(parameter.default)
    if parameter.count and not parameter.is_file:
        return _list(parameter, given[name])
    return parameter.check(_one(parameter, given[name]), owner)


def _one(parameter: Parameter, given: Json) -> Value:
    """One value of JSON, or one of a list, as code would give it."""
    if given is None and parameter.optional:
        return None
    if parameter.choices:
        values = [parameter.type.dump(choice, NOWHERE) for choice in parameter.choices]
        if found := [choice for choice, value in zip(parameter.choices, values, strict=True) if same(given, value)]:
            return found[0]
        raise WrongValue(f"Write {either([json.dumps(value, ensure_ascii=False) for value in values])}.")
    try:
        return parameter.type.read_json(given)
    except ValueError as error:
        raise WrongValue(parameter.type.wrong_json or parameter.type.wrong) from error


def _list(parameter: Parameter, given: Json) -> list[Value]:
    if not isinstance(given, list):
        raise WrongValue("Write a list.")
    if words := parameter.wrong_number(len(given)):
        raise WrongValue(words)
    taken: list[Value] = []
    errors = {}
    for index, each in enumerate(given):
        try:
            value = parameter.check_one(_one(parameter, each))
            if parameter.choices and value in taken:
                raise WrongValue("Write each only once.")
            taken.append(value)
        except WrongValue as error:
            errors[index] = str(error)
    if errors:
        raise _WrongItems(errors)
    return taken


def _files(parameter: Parameter, files: Sequence[Upload], is_given_twice: bool) -> Value:
    if not parameter.is_file:
        raise WrongValue("This is no file: write it into the arguments.")
    if is_given_twice:
        raise WrongValue("Send this either in the arguments or as a part of its own, and not twice.")
    if not parameter.count:
        if len(files) != 1:
            raise WrongValue(f"Send one file. You sent {number(len(files))}.")
        return parameter.check(files[0])
    try:
        return parameter.check(list(files))
    except WrongValue:
        found = {index: problem_of_files(file, None, parameter.suffixes) for index, file in enumerate(files)}
        if errors := {index: words for index, words in found.items() if words}:
            raise _WrongItems(errors) from None
        raise


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
