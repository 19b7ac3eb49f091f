"""Reading a task function's signature: its parameters, or in one line why no form can ask for them."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from tasks.engine.bounds import bounds_of, unpacked
from tasks.engine.declaration_error import DeclarationError
from tasks.engine.parameter_checks import CHECKS, SpelledParameter
from tasks.engine.parameters import Labels, Parameter
from tasks.engine.uploads import Accept, Count

RUN_NAMES = {"task", "run", ""}  # but for underscores


def read_parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
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


def _is_run(parameter: inspect.Parameter, hint: Any) -> bool:
    if parameter.kind not in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
        return False
    if hint in (None, Any):
        return parameter.name.strip("_") in RUN_NAMES and parameter.default is inspect.Parameter.empty
    return getattr(hint, "__name__", "") == "Run"


def _without_run(function: Callable[..., Any]) -> str:
    names = ["task", *(name for name in inspect.signature(function).parameters if name != "task")]
    return f"needs the run as its first parameter: write def {function.__name__}({', '.join(names)})"


def _read(function: Callable[..., Any], parameter: inspect.Parameter, hint: Any) -> Parameter:
    extras: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        extras = tuple(rest)
    spelled = SpelledParameter(parameter, hint, extras)
    for find in CHECKS:
        if words := find(spelled):
            raise DeclarationError(function, f"parameter {parameter.name} {words}")
    required = parameter.default is inspect.Parameter.empty
    labels, accept = spelled.said(Labels), spelled.said(Accept)
    read = Parameter(
        name=parameter.name,
        type=spelled.kind,
        default=None if required else spelled.default,
        required=required,
        choices=spelled.choices,
        labels=labels.labels if labels else (),
        bounds=bounds_of(spelled.kind, unpacked(spelled.extras)),
        count=spelled.said(Count),
        suffixes=accept.suffixes if accept else (),
    )
    if not required and (problem := read.problem(read.default)):
        words = (
            f'has the default {read.default!r}, which it does not take itself ("{problem}"): choose another, or none'
        )
        raise DeclarationError(function, f"parameter {parameter.name} {words}")
    return read
