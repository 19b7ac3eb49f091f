"""Checks of a title: whether it can be written for whatever arguments."""

import re
from string import Formatter
from typing import Any

from tasks.engine.parameters.parameter import Parameter
from tasks.engine.parameters.secret import Secret


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
        if plain != name or "{" in spec or known[name].count:
            return f"its title has {written}, which is no single value: write a function of the arguments as the title"
        if known[name].type.python is Secret:
            return f"its title has {written}, which is a secret: take that out"
        if known[name].optional:
            return f"its title has {written}, which may be None: write a function of the arguments as the title"
        if problem := _bad_spec(spec, conversion, known[name]):
            return f"its title has {written}, and {name} cannot be written so: {problem}"
    return None


def _bad_spec(spec: str, conversion: str | None, parameter: Parameter) -> str:
    """Why some value of a parameter cannot be written by a format; empty if each can."""
    for sample in parameter.choices or _samples(parameter):
        value = parameter.type.in_title(parameter.type.take(sample))
        try:
            format(Formatter().convert_field(value, conversion), spec)
        except (ValueError, TypeError, OverflowError) as error:
            return str(error)
    return ""


def _samples(parameter: Parameter) -> tuple[Any, ...]:
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
