"""The arguments of a task function as JSON Schema 2020-12, for programs."""

from collections.abc import Iterable
from typing import Final

from peewee import Model

from tasks.engine.parameters.conversions import NOWHERE
from tasks.engine.parameters.parameter import Parameter
from webapp.lib.json_types import Json

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NOTHING: Final[dict[str, Json]] = {"not": {}}  # a schema that takes no value at all


def schema_of(parameters: Iterable[Parameter], owner: Model | None = None) -> dict[str, Json]:
    """The schema of an object with these arguments. For an `owner`, it names what there is to choose of their own."""
    parameters = list(parameters)
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {parameter.name: _property(parameter, owner) for parameter in parameters},
        "required": [parameter.name for parameter in parameters if parameter.required],
        "additionalProperties": False,
    }


def _property(parameter: Parameter, owner: Model | None) -> dict[str, Json]:
    one = _value(parameter, owner)
    if parameter.count:
        ends = {"minItems": parameter.count.low, "maxItems": parameter.count.high}
        one = {"type": "array", "items": one, **ends, **({"uniqueItems": True} if parameter.choices else {})}
    if parameter.optional:
        one = {"anyOf": [one, {"type": "null"}]}
    told = {"title": parameter.label, "description": parameter.hint}
    if not parameter.required and not parameter.type.again:
        one["default"] = parameter.dump(parameter.default, NOWHERE)
    return {**{name: words for name, words in told.items() if words}, **one}


def _value(parameter: Parameter, owner: Model | None) -> dict[str, Json]:
    """The schema of one value."""
    if parameter.choices:
        values = [parameter.type.dump(choice, NOWHERE) for choice in parameter.choices]
        labels = [label for _, label in parameter.options]
        return {"oneOf": [{"const": value, "title": label} for value, label in zip(values, labels, strict=True)]}
    schema = {**parameter.type.schema, **_bounds(parameter)}
    if parameter.own and owner is not None:
        offered, has_more = parameter.own.offered(owner)
        once = dict(offered)  # `oneOf` would not take what is offered twice
        values_of_owner: list[Json] = [{"const": value, "title": label} for value, label in once.items()]
        return schema if has_more else {**schema, **({"oneOf": values_of_owner} if values_of_owner else NOTHING)}
    return schema


def _bounds(parameter: Parameter) -> dict[str, Json]:
    bounds = parameter.bounds
    if bounds is None or (parameter.type.schema["type"] == "string" and parameter.type.limits == "range"):
        return {}  # JSON Schema knows no range of numbers that are texts
    if parameter.type.limits == "length":
        least = bounds.low or (1 if parameter.is_to_be_written else None)
        ends: dict[str, object] = {"minLength": least, "maxLength": bounds.high}
    else:
        low, high = ("exclusiveMinimum", "exclusiveMaximum")
        ends = {low if bounds.above else "minimum": bounds.low, high if bounds.below else "maximum": bounds.high}
    return {name: end for name, end in ends.items() if isinstance(end, int | float)}
