"""Requests to the API as commands for a shell, with nothing but curl, made from the table of operations."""

import json
import re
from collections.abc import Mapping
from typing import Final

from webapp.lib.json_types import Json
from webapp.web.api.examples import example_of
from webapp.web.api.operation import Access, Operation
from webapp.web.api.parameters import PATH_PARAMETERS
from webapp.web.api.resource import Content, Schema
from webapp.web.api_paths import ROOT

TOKEN: Final = "$TOKEN"  # noqa: S105 - the name of a variable of the shell
JSON: Final = "application/json"
SEPARATOR: Final = " \\\n  "
# What a form has where an operation takes files, by its name.
FORMS: Final[Mapping[str, list[str]]] = {
    "create_task": ['-F "kind=count_words"', '-F "file=@notes.txt"'],
    "attach_to_mailing": ['-F "files=@minutes.pdf"'],
}


def request_of(operation: Operation, server: str) -> str:
    """A command that asks for an operation of the site at `server`, with the token in the variable TOKEN."""
    lines = _head(operation, server)
    if not operation.takes_json:
        lines += FORMS[operation.name]
    elif operation.body and not operation.may_lack_body:
        lines += [f'-H "Content-Type: {JSON}"', f"-d '{json.dumps(example_body(operation), ensure_ascii=False)}'"]
    if any(isinstance(each, Content) for each in operation.answers.values()):
        lines.append("-OJ")
    return SEPARATOR.join(lines)


def form_of(operation: Operation, server: str) -> str:
    """The same with files; empty where the operation takes none, or nothing else."""
    if operation.name not in FORMS or not operation.takes_json:
        return ""
    return SEPARATOR.join(_head(operation, server) + FORMS[operation.name])


def _head(operation: Operation, server: str) -> list[str]:
    method = "" if operation.method == "GET" else f"-X {operation.method} "
    lines = [f'curl {method}"{server}{ROOT}{_path(operation)}"']
    if operation.allows is not Access.PUBLIC:
        lines.append(f'-H "Authorization: Bearer {TOKEN}"')
    return lines


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


MORE: Final = frozenset(
    {"arguments", "filter", "recipients", "subject", "body"}
)  # members that tell more than they would by being left out


def _path(operation: Operation) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        return str(example_of(PATH_PARAMETERS[name].schema, {}, "path", name))

    return re.sub(r"\{(\w+)\}", value, operation.path)
