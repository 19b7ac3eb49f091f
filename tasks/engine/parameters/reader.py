"""Reading a task function's signature: its parameters, or in one line why no form can ask for them."""

import inspect
from dataclasses import replace
from typing import Any, Final, cast, get_type_hints

from tasks.engine.declaration_error import DeclarationError
from tasks.engine.functions import Function
from tasks.engine.parameters.annotations import Choice, Hint, Label, Labels, Multiline, Placeholder
from tasks.engine.parameters.bounds import Bounds, bounds_of, unpacked
from tasks.engine.parameters.checks import CHECKS
from tasks.engine.parameters.conversions import label_of
from tasks.engine.parameters.parameter import Parameter, WrongValue
from tasks.engine.parameters.parameter_type import ParameterType
from tasks.engine.parameters.spelling import YES_AND_NO, SpelledParameter, spell
from tasks.engine.uploads import Accept, Count

RUN_NAMES = {"task", "run", ""}  # but for underscores
LONGEST_TEXT: Final = 10_000  # characters of a text for which MaxLen says nothing
LONGEST_MULTILINE: Final = 100_000
MOST_LINES: Final = 1000  # of a list for which Count says nothing


def read_parameters(function: Function[object]) -> tuple[Parameter, ...]:
    """The parameters of a task function after its first, which is the run.

    Raises DeclarationError for what cannot be asked for by a form, or cannot be what it says.
    """
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:  # whatever an annotation does when it is evaluated
        words = f"has annotations that cannot be read ({error}): import what they name, outside of TYPE_CHECKING"
        raise DeclarationError(function, words) from error
    spelled = list(inspect.signature(function).parameters.values())
    if not spelled or not _is_run(spelled[0], hints.get(spelled[0].name)):
        raise DeclarationError(function, _without_run(function))
    return tuple(_read(function, parameter, hints.get(parameter.name)) for parameter in spelled[1:])


def _is_run(parameter: inspect.Parameter, hint: object) -> bool:
    if parameter.kind not in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
        return False
    if hint in (None, Any):
        return parameter.name.strip("_") in RUN_NAMES and parameter.default is inspect.Parameter.empty
    return getattr(hint, "__name__", "") == "Run"


def _without_run(function: Function[object]) -> str:
    names = ["task", *(name for name in inspect.signature(function).parameters if name != "task")]
    return f"needs the run as its first parameter: write def {function.__name__}({', '.join(names)})"


def _read(function: Function[object], parameter: inspect.Parameter, hint: object) -> Parameter:
    spelled = spell(parameter, hint)
    for find in CHECKS:
        if words := find(spelled):
            raise DeclarationError(function, f"parameter {parameter.name} {words}")
    read = _made_of(spelled)
    if read.required:
        return read
    try:
        return replace(read, default=read.check(read.default))
    except WrongValue as error:
        default = repr(read.default)
        words = f'has the default {default}, which it does not take itself ("{error}"): choose another, or none'
        raise DeclarationError(function, f"parameter {parameter.name} {words}") from error


def _made_of(spelled: SpelledParameter) -> Parameter:
    """The parameter that was spelled so, of which nothing is wrong but perhaps its default."""
    name, row = spelled.parameter.name, cast(ParameterType, spelled.type)
    label, hint, placeholder = spelled.said(Label), spelled.said(Hint), spelled.said(Placeholder)
    accept = spelled.said(Accept)
    return Parameter(
        name=name,
        type=row,
        default=spelled.parameter.default if spelled.has_default else None,
        required=not spelled.has_default,
        optional=spelled.optional,
        choices=spelled.choices,
        labels=_labels(spelled),
        own=spelled.said(Choice),
        bounds=_bounds(spelled, row),
        count=spelled.said(Count) or (_count(spelled) if spelled.is_list else None),
        suffixes=accept.suffixes if accept else (),
        label=label.text if label else name.replace("_", " ").capitalize(),
        said=hint.text if hint else "",
        placeholder=placeholder.text if placeholder else "",
        multiline=bool(spelled.said(Multiline)),
    )


def _labels(spelled: SpelledParameter) -> tuple[str, ...]:
    if labels := spelled.said(Labels):
        return tuple(labels.labels)
    if spelled.is_enum:
        return tuple(map(label_of, spelled.choices))
    return ("Yes", "No") if spelled.choices == YES_AND_NO else ()


def _count(spelled: SpelledParameter) -> Count:
    """How many there may be in a list of which nobody says so: none only where that is the default."""
    return Count(0 if spelled.has_default else 1, len(spelled.choices) or MOST_LINES)


def _bounds(spelled: SpelledParameter, row: ParameterType) -> Bounds | None:
    """Its limits; no text is without an end, even where nobody says so."""
    extras = spelled.item_extras if spelled.is_list else spelled.extras
    bounds = bounds_of(spelled.kind, unpacked(extras))
    has_choices = bool(spelled.choices or spelled.said(Choice))
    if row.limits != "length" or has_choices or (bounds and bounds.high is not None):
        return bounds
    bounds = bounds or Bounds()
    longest = LONGEST_MULTILINE if spelled.said(Multiline) else LONGEST_TEXT
    return replace(bounds, high=max(longest, bounds.low or 0))
