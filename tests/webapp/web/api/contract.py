"""The contract: each answer that a test gets of the API must be one that the OpenAPI document allows."""

import json
from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from webapp.web.api import openapi
from webapp.web.api.openapi_answers import HEADERS
from webapp.web.api.operation import OPERATIONS, Operation

WITHOUT_BODY = {204, 304}
ALWAYS = {"ETag", "Location", "Content-Range"}


def hold_to_document(app: Flask, method: str, address: str, answer: TestResponse) -> None:
    """Fail if an operation's answer has a status, a content type or a body that the document does not know."""
    operation = operation_at(app, method, address)
    if operation is None:
        return
    where = f"{method} {operation.path} answered {answer.status_code}"
    known = _answers(operation.name, len(OPERATIONS))
    said = known.get(str(answer.status_code)) or (known["5XX"] if answer.status_code >= 500 else None)
    assert said, f"{where}, and the document knows {', '.join(known)}: {answer.get_data(as_text=True)[:300]}"
    content = said.get("content", {})
    _demand_headers(said["headers"], answer, where)
    if method == "HEAD" or answer.status_code in WITHOUT_BODY:
        assert not answer.data, f"{where} with a body"
        return
    assert content or not answer.data, f"{where} with a body, and the document has none"
    if content and "*/*" not in content:
        assert answer.mimetype in content, f"{where} as {answer.mimetype}, and not as {', '.join(content)}"
        _demand_body(content[answer.mimetype].get("schema"), answer, where)


def _demand_headers(described: dict[str, Any], answer: TestResponse, where: str) -> None:
    """Whatever programs may go by is described; and what is to be followed, or known again, is there."""
    unknown = {name for name in HEADERS if name in answer.headers} - described.keys()
    assert not unknown, f"{where} with {', '.join(unknown)}, which the document doesn't know"
    missing = {name for name in ALWAYS & described.keys() if name not in answer.headers and answer.status_code < 400}
    assert not missing, f"{where} without {', '.join(missing)}"


def operation_at(app: Flask, method: str, address: str) -> Operation | None:
    """The operation that a request asks for."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(address.partition("?")[0], method=method)
    except HTTPException:
        return None
    return OPERATIONS.get(endpoint.removeprefix("api.")) if method != "OPTIONS" else None


@cache
def _document(_: int) -> dict[str, Any]:
    return openapi.document("Errand", "http://localhost")


@cache
def _answers(name: str, size: int) -> dict[str, Any]:
    operation = OPERATIONS[name]
    document = _document(size)
    said = document["paths"][operation.path][operation.method.lower()]["responses"]
    shared = document["components"]["responses"]
    return {
        status: shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for status, each in said.items()
    }


@cache
def _validator(schema: str, size: int) -> jsonschema_rs.Draft202012Validator:
    whole = json.loads(schema) | {"components": _document(size)["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _demand_body(schema: dict[str, Any] | None, answer: TestResponse, where: str) -> None:
    if schema is None:
        return
    faults = list(_validator(json.dumps(schema), len(OPERATIONS)).iter_errors(answer.json))
    assert not faults, f"{where}, and {faults[0].instance_path}: {faults[0].message}\n{answer.json}"
