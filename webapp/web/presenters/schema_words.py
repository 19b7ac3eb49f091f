"""Schemas in words: what type a value has, and the members of an object, for people who read the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from webapp.lib.i18n import number
from webapp.lib.json_types import Json
from webapp.web.api.resource import Schema

_SCHEMAS: Final = "#/components/schemas/"
_FORMATS: Final[Mapping[Json, str]] = {
    "uuid": "UUID",
    "date-time": "time, as 2026-11-30T09:00:00Z",
    "date": "date, as 2026-11-30",
    "uri": "address",
    "uri-reference": "address",
    "email": "email address",
    "binary": "file",
}
_TYPES: Final[Mapping[Json, str]] = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
    "null": "null",
}


@dataclass(frozen=True)
class Member:
    """A line of a table: its name, which says where it is, its type and meaning, and whether it must be there."""

    name: str
    type: str
    words: str
    is_required: bool = False


def members_of(schema: Schema, within: str = "") -> list[Member]:
    """The members of an object, and those of the objects in it, as `progress.eta` and `errors[].detail`."""
    found: list[Member] = []
    properties: dict[str, Schema] = schema.get("properties", {})  # type: ignore[assignment]
    required = schema.get("required", [])
    for name, member in properties.items():
        place, words = within + name, str(member.get("description", ""))
        found.append(Member(place, type_words(member), words, name in required))  # type: ignore[operator]
        for inner, suffix in _within(member):
            found += [each for each in members_of(inner, place + suffix) if each not in found]
    return found


def _within(schema: Schema) -> list[tuple[Schema, str]]:
    """The objects in it whose members are to be listed, and what leads there."""
    items, options = schema.get("items"), schema.get("anyOf", schema.get("oneOf"))
    if isinstance(items, dict):
        return [(inner, f"[]{suffix}") for inner, suffix in _within(items)]
    if isinstance(options, list):
        return [each for option in options if isinstance(option, dict) for each in _within(option)]
    return [(schema, ".")]


def type_words(schema: Schema) -> str:
    """Like "whole number from 1 to 200; 50 if left out", or "UUID, or null"."""
    words = _bare_type(schema)
    if "default" in schema:
        words += f"; {_shown(schema['default'])} if left out"
    return words


def _bare_type(schema: Schema) -> str:
    reference, options = schema.get("$ref"), schema.get("anyOf", schema.get("oneOf"))
    if isinstance(reference, str):
        return reference.removeprefix(_SCHEMAS)
    if isinstance(options, list):
        return ", or ".join(dict.fromkeys(_bare_type(each) for each in options))  # type: ignore[arg-type]
    if "const" in schema:
        return _shown(schema["const"])
    if isinstance(values := schema.get("enum"), list):
        return "one of " + ", ".join(map(_shown, values))
    kind = schema.get("type")
    if isinstance(kind, list):
        return ", or ".join(_bare_type({**schema, "type": each}) for each in kind)
    if kind == "array":
        items = schema.get("items")
        inner = _bare_type(items) if isinstance(items, dict) else ""
        return f"list of {inner}" if inner else "list"
    return _FORMATS.get(schema.get("format"), _TYPES.get(kind, "anything")) + _limits(schema)


def _limits(schema: Schema) -> str:
    least, most, longest = schema.get("minimum"), schema.get("maximum"), schema.get("maxLength")
    if schema.get("type") == "string":
        return f", at most {number(longest)} characters" if isinstance(longest, int) else ""
    if isinstance(least, int) and isinstance(most, int) and most < 2**31 - 1:
        return f" from {number(least)} to {number(most)}"
    return f", {number(least)} or more" if isinstance(least, int) and least else ""


def _shown(value: Json) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"“{value}”" if isinstance(value, str) else str(value)
