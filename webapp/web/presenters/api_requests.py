"""Requests to the API as commands for a shell, with nothing but curl, made from the table of operations."""

import json
import re
from typing import Final

from webapp.lib.json_types import Json
from webapp.web.api.examples import example_of
from webapp.web.api.operation import Access, Operation
from webapp.web.api.parameters import PATH_PARAMETERS
from webapp.web.api.resource import Schema

TOKEN: Final = "$TOKEN"  # noqa: S105 - the name of a variable of the shell
JSON: Final = "application/json"


def request_of(operation: Operation, server: str) -> str:
    """A command that asks for an operation of the site at `server`, with the token in the variable TOKEN."""
    lines = [f'curl "{server}/api/v1{_path(operation)}"']
    if operation.method != "GET":
        lines[0] = lines[0].replace("curl", f"curl -X {operation.method}")
    if operation.allows is not Access.PUBLIC:
        lines.append(f'-H "Authorization: Bearer {TOKEN}"')
    if operation.body:
        lines += [f'-H "Content-Type: {JSON}"', f"-d '{json.dumps(example_body(operation), ensure_ascii=False)}'"]
    if operation.method == "GET" and operation.media_type != JSON:
        lines.append("-OJ")
    return " \\\n  ".join(lines)


def example_body(operation: Operation) -> Json:
    """A body that the operation takes: all that it demands, and where that is nothing, the first that it may have."""
    schema: Schema = operation.body or {}
    if "examples" in schema:
        return example_of(schema, {})
    properties: dict[str, Schema] = schema.get("properties", {})  # type: ignore[assignment]
    required = schema.get("required", [])
    shown = [name for name in properties if name in required or name in MORE]  # type: ignore[operator]
    found = {name: example_of(properties[name], {}, "body", name) for name in shown or list(properties)[:1]}
    return dict(found)


MORE: Final = frozenset({"arguments"})  # members that tell more than they would by being left out


def _path(operation: Operation) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        return str(example_of(PATH_PARAMETERS[name].schema, {}, "path", name))

    return re.sub(r"\{(\w+)\}", value, operation.path)
