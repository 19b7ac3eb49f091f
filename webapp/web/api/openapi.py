"""The OpenAPI 3.1 document, made from the table of operations and the resources that these answer with."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from webapp.lib.json_types import Json
from webapp.lib.token_text import PREFIX
from webapp.web.api.examples import example_of
from webapp.web.api.json_body import JSON_TYPES
from webapp.web.api.multipart import MULTIPART
from webapp.web.api.openapi_answers import HEADERS, answers_of, references_to_refusals, refusals, schemas_of
from webapp.web.api.openapi_parameters import parameters_of
from webapp.web.api.operation import OPERATIONS, Access, Operation
from webapp.web.api.parameters import names_in
from webapp.web.api.problems import (
    BAD_REQUEST,
    CONFLICT,
    IN_PROGRESS,
    INSUFFICIENT_SCOPE,
    INVALID,
    KEY_REUSED,
    NOT_FOUND,
    PRECONDITION_FAILED,
    RATE_LIMITED,
    TOO_LARGE,
    UNAUTHORIZED,
    UNSUPPORTED_TYPE,
    ProblemType,
)
from webapp.web.api.resource import Listed, Schema
from webapp.web.api_paths import ROOT

VERSION: Final = "1"
DESCRIPTION: Final = "Start work, follow it, and fetch what it made."
SCHEME: Final = "token"
TOKEN: Final[Schema] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": f"{PREFIX}…",
    "description": "A token of *Settings → Tokens*. An operation names the scopes of which it needs one.",
}


def document(site: str, server: str) -> dict[str, Json]:
    """The document, for a site of that name that is reached at `server`."""
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": f"{site} API",
            "version": VERSION,
            "description": DESCRIPTION,
        },
        "externalDocs": {"description": "Rules for all of it, and examples", "url": f"{server}/developers"},
        "servers": [{"url": f"{server}{ROOT}"}],
        "security": [{SCHEME: []}],
        "paths": _paths(),
        "components": {
            "schemas": dict(_schemas()),
            "headers": HEADERS,
            "responses": refusals(*map(problems_of, OPERATIONS.values())),
            "securitySchemes": {SCHEME: TOKEN},
        },
    }


def problems_of(operation: Operation) -> list[ProblemType]:
    """All that an operation may answer when it refuses, but for what goes wrong on our side."""
    found = [*operation.problems, RATE_LIMITED, INVALID]
    if operation.allows is not Access.PUBLIC:
        found.append(UNAUTHORIZED)
    if operation.scopes:
        found.append(INSUFFICIENT_SCOPE)
    if names_in(operation.path):
        found.append(NOT_FOUND)
    if 304 in operation.answers:
        found.append(PRECONDITION_FAILED)
    if operation.once:
        found += [BAD_REQUEST, CONFLICT, IN_PROGRESS, KEY_REUSED]
    if operation.body:
        found += [BAD_REQUEST, TOO_LARGE, UNSUPPORTED_TYPE]
    return sorted(dict.fromkeys(found), key=lambda each: (each.status, each.slug))


def _schemas() -> Mapping[str, Schema]:
    """Those of resources have an example each, from which that of a page follows."""
    found = schemas_of(said for each in OPERATIONS.values() for said in each.answers.values())
    pages = {said.name for each in OPERATIONS.values() for said in each.answers.values() if isinstance(said, Listed)}
    return {
        name: schema
        if name in pages or "examples" in schema
        else schema | {"examples": [example_of(schema, found, name)]}
        for name, schema in found.items()
    }


def _paths() -> dict[str, Json]:
    paths: dict[str, dict[str, Json]] = {}
    for operation in OPERATIONS.values():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return dict(paths)


def _operation(operation: Operation) -> dict[str, Json]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": parameters_of(operation),
        "responses": answers_of(operation) | references_to_refusals(problems_of(operation)),
    }
    if operation.description:
        found["description"] = operation.description
    if operation.deprecated:
        found["deprecated"] = True
    if operation.allows is Access.PUBLIC:
        found["security"] = []
    elif operation.scopes:
        found["security"] = [{SCHEME: [scope]} for scope in operation.scopes]
    if operation.body:
        found["requestBody"] = {
            "required": not operation.may_lack_body,
            "content": {media_type: {"schema": schema} for media_type, schema in _bodies(operation, operation.body)},
        }
    return found


def _bodies(operation: Operation, body: Schema) -> Iterator[tuple[str, Schema]]:
    if operation.takes_json:
        yield from ((each, body) for each in (JSON_TYPES if operation.method == "PATCH" else JSON_TYPES[:1]))
    if operation.takes_files:
        yield MULTIPART, _form(body) if operation.takes_json else body


def _form(body: Schema) -> Schema:
    """The same as a form: files are parts that are named by their parameter."""
    return body | {"additionalProperties": {"contentMediaType": "application/octet-stream"}}
