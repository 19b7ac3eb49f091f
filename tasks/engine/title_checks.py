"""Checks of a title: whether it can be written for whatever arguments."""

import re
from collections.abc import Iterator
from string import Formatter

from tasks.engine.parameters.conversions import Value
from tasks.engine.parameters.parameter import Parameter
from tasks.engine.parameters.secret import Secret
from webapp.lib.phrases import Wording

_SEVERAL = "which is no single value: write a function of the arguments as the title"


def bad_format(title: str, parameters: tuple[Parameter, ...]) -> str | None:
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
            return f"its title has {written}, and {names_of(parameters)}"
        if plain != name or "{" in spec:
            return f"its title has {written}, {_SEVERAL}"
        if problem := _never_written(known[name]):
            return f"its title has {written}, {problem}"
        if problem := _bad_spec(spec, conversion, known[name]):
            return f"its title has {written}, and {name} cannot be written so: {problem}"
    return None


def bad_wording(title: Wording, parameters: tuple[Parameter, ...]) -> str | None:
    """The same of a declared phrase."""
    known = {parameter.name: parameter for parameter in parameters}
    for words in (title.owner, title.plural, title.others):
        for name in [name for _, name, *_ in Formatter().parse(words) if name is not None]:
            if name not in known and not (name == "owner" and words == title.others):
                return f"its title has {{{name}}}, and {names_of(parameters)}"
            if problem := _never_written(known[name]) if name in known else "":
                return f"its title has {{{name}}}, {problem}"
    samples = {parameter.name: tuple(_values(parameter)) for parameter in parameters}
    for place in (0, -1):
        try:
            str(title(**{name: values[place] for name, values in samples.items()}))
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            return f"its title {title.owner!r} cannot be written for each argument: {error}"
    return None


def _never_written(parameter: Parameter) -> str:
    """Why a parameter cannot stand in a title at all; empty if it can."""
    if parameter.count:
        return _SEVERAL
    if parameter.type.python is Secret:
        return "which is a secret: take that out"
    return "which may be None: write a function of the arguments as the title" if parameter.optional else ""


def _bad_spec(spec: str, conversion: str | None, parameter: Parameter) -> str:
    """Why some value of a parameter cannot be written by a format; empty if each can."""
    for value in _values(parameter):
        try:
            format(Formatter().convert_field(value, conversion), spec)
        except (ValueError, TypeError, OverflowError) as error:
            return str(error)
    return ""


def _values(parameter: Parameter) -> Iterator[Value]:
    """All that a parameter may be, or values of it that differ as much as any."""
    for sample in parameter.choices or _samples(parameter):
        yield parameter.type.in_title(parameter.type.take(sample))


def _samples(parameter: Parameter) -> tuple[Value, ...]:
    """Values of a parameter that differ as much as any: its bounds, or what is as far off as there is none."""
    samples, bounds = parameter.type.samples, parameter.bounds
    if bounds is None or parameter.type.limits != "range":
        return samples
    low = min(samples[0], bounds.high or 0) if bounds.low is None else bounds.low
    return low, max(samples[1], low) if bounds.high is None else bounds.high


def names_of(parameters: tuple[Parameter, ...]) -> str:
    """Which parameters there are, in words."""
    names = ", ".join(parameter.name for parameter in parameters)
    return f"it has {names}" if names else "it has no parameters"
