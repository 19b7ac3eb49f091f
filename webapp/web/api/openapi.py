"""The OpenAPI 3.1 document, made from the table of operations and the resources that these answer with."""

from typing import Any, Final

from webapp.lib.json_types import Json
from webapp.web.api.openapi_answers import HEADERS, answers_of, header_parameters, refusals, schemas_of
from webapp.web.api.operation import OPERATIONS, Access, Operation
from webapp.web.api.parameters import PATH_PARAMETERS, names_in
from webapp.web.api.problems import (
    BAD_REQUEST,
    IN_PROGRESS,
    INSUFFICIENT_SCOPE,
    INVALID,
    KEY_REUSED,
    NOT_FOUND,
    RATE_LIMITED,
    TOO_LARGE,
    UNAUTHORIZED,
    UNSUPPORTED_TYPE,
    ProblemType,
)
from webapp.web.api.resource import Schema
from webapp.web.api_paths import ROOT

VERSION: Final = "1"
DESCRIPTION: Final = "Start work, follow it, and fetch what it made."
SCHEME: Final = "token"


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
        "servers": [{"url": f"{server}{ROOT}"}],
        "security": [{SCHEME: []}],
        "paths": _paths(),
        "components": {
            "schemas": dict(schemas_of(said for each in OPERATIONS.values() for said in each.answers.values())),
            "headers": HEADERS,
            "securitySchemes": {SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "errand_pat_…"}},
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
    if operation.once:
        found += [BAD_REQUEST, IN_PROGRESS, KEY_REUSED]
    if operation.body:
        found += [BAD_REQUEST, TOO_LARGE, UNSUPPORTED_TYPE]
    return sorted(dict.fromkeys(found), key=lambda each: (each.status, each.slug))


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
        "parameters": _parameters(operation) + header_parameters(operation),
        "responses": answers_of(operation) | refusals(problems_of(operation)),
    }
    if operation.description:
        found["description"] = operation.description
    if operation.deprecated:
        found["deprecated"] = True
    if operation.allows is Access.PUBLIC:
        found["security"] = []
    if operation.own_scopes:
        found["x-scope"] = " ".join(operation.own_scopes)
    if operation.desk:
        found["x-desk-scope"] = operation.desk
    if operation.body:
        content: dict[str, Any] = {"application/json": {"schema": operation.body}} if operation.takes_json else {}
        if operation.takes_files:
            form = _form(operation.body) if operation.takes_json else operation.body
            content["multipart/form-data"] = {"schema": form}
        found["requestBody"] = {"required": not operation.may_lack_body, "content": content}
    return found


def _form(body: Schema) -> Schema:
    """The same as a form: files are parts that are named by their parameter."""
    return body | {"additionalProperties": {"contentMediaType": "application/octet-stream"}}


def _parameters(operation: Operation) -> list[Json]:
    path = [(name, PATH_PARAMETERS[name]) for name in names_in(operation.path)]
    in_path: list[Json] = [
        {"name": name, "in": "path", "required": True, "description": each.words, "schema": each.schema}
        for name, each in path
    ]
    in_query: list[Json] = [
        {"name": each.name, "in": "query", "description": each.words, "schema": each.schema} for each in operation.query
    ]
    return in_path + in_query
