"""The document is valid, and says of each address what there is, and nothing else."""

from datetime import date
from itertools import filterfalse
from typing import Any

import pytest

from tests.webapp.web.api.client import Program
from webapp.web.api import openapi
from webapp.web.api.deprecation import deprecation_headers
from webapp.web.api.examples import fits
from webapp.web.api.operation import OPERATIONS, Access, Answer, Operation
from webapp.web.api.parameters import PATH_PARAMETERS
from webapp.web.routes.api.openapi import document_for

LARGEST = 160_000  # bytes of the document, before it is compressed
METHODS = {"get", "post", "put", "patch", "delete"}
CONVERTERS = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer"}, "string": {"type": "string"}}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document("Errand", "http://localhost")


def _described(document: dict[str, Any]) -> list[tuple[str, str, dict]]:
    return [(path, method, said) for path, item in document["paths"].items() for method, said in item.items()]


def test_the_document_is_openapi(document):
    from openapi_spec_validator import OpenAPIV31SpecValidator  # two seconds, in each process that collects tests

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_the_routes_and_the_document_agree(app, document):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    routed = {(rule.rule, method) for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}}
    described = {
        ("/api/v1" + OPERATIONS[said["operationId"]].rule, method.upper()) for _, method, said in _described(document)
    }
    assert routed == described
    assert all(method in METHODS for _, method, _ in _described(document))


def test_the_parts_of_a_path_are_what_routes_take(app, document):
    for path, _, said in _described(document):
        in_path = {each["name"]: each for each in said["parameters"] if each["in"] == "path"}
        [rule] = [rule for rule in app.url_map.iter_rules(f"api.{said['operationId']}")]
        assert in_path.keys() == rule.arguments, path
        for name, each in in_path.items():
            assert each["required"]
            assert each["schema"].items() >= CONVERTERS[PATH_PARAMETERS[name].converter].items()


def test_every_operation_has_a_name_of_its_own_and_is_told_in_words(document):
    described = [said for _, _, said in _described(document)]
    assert len({said["operationId"] for said in described}) == len(described)
    assert all(said["summary"] and said["tags"] for said in described)
    assert all(each["description"] for said in described for each in said["parameters"])


def test_every_member_of_an_answer_is_told_in_words_or_says_itself(document):
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("type") == "object", name
        assert name.endswith("Page") or schema.get("description"), f"{name} has no words"
        assert set(schema.get("required", ())) <= set(schema["properties"]), name


def test_all_that_is_referred_to_is_there(document):
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in _references(each)]
    if not isinstance(part, dict):
        return []
    here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return here + [found for each in part.values() for found in _references(each)]


def test_every_operation_tells_what_goes_wrong(document):
    for path, method, said in _described(document):
        statuses = said["responses"].keys()
        assert statuses >= {"400", "403", "421", "422", "429", "5XX"}, (method, path)
        assert said.get("security") == [] or "401" in statuses
        assert "requestBody" not in said or statuses >= {"413", "415"}
        assert "{" not in path or "404" in statuses


def test_the_document_knows_its_version(app):
    program = Program(app)
    answer = program.get("/openapi.json")
    again = program.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_document_is_made_once_for_each_address_of_the_site(app, monkeypatch):
    program, made = Program(app), document_for.cache_info
    before = made().misses
    for server in ("https://one.example", "https://two.example", "https://one.example"):
        monkeypatch.setitem(app.config, "BASE_URL", server)
        answer = program.get("/openapi.json")
        assert answer.json["servers"] == [{"url": f"{server}/api/v1"}]
        assert len(answer.data) < LARGEST
    assert made().misses == before + 2


def test_each_operation_names_the_scopes_of_which_a_token_needs_one(document):
    for path, method, said in _described(document):
        operation = OPERATIONS[said["operationId"]]
        given = [scope for each in said.get("security", ()) for scope in each["token"]]
        assert given == [*operation.scopes], (method, path)
        assert (said.get("security") == []) == (operation.allows is Access.PUBLIC)


def test_the_headers_that_requests_may_have_are_described(document):
    read = {
        said["operationId"]: {each["name"] for each in said["parameters"] if each["in"] == "header"}
        for _, _, said in _described(document)
    }
    assert read["show_task"] == {"Prefer", "If-None-Match"}
    assert read["download_artifact"] == {"If-None-Match", "Range", "If-Range"}
    assert read["create_task"] == {"Idempotency-Key"}
    assert read["change_task"] == {"If-Match"}
    assert read["list_tasks"] == set()


def test_each_resource_has_an_example_that_its_schema_allows(document):
    schemas = document["components"]["schemas"]
    shown = {name: schema["examples"] for name, schema in schemas.items() if "examples" in schema}
    assert {name for name in schemas if not name.endswith("Page")} == shown.keys()
    for name, examples in shown.items():
        assert all(fits(each, schemas[name], schemas) for each in examples), name


# Leaving


def _leaving(**more: str) -> Operation:
    def leave(_: object) -> Answer:
        """Leave."""
        return Answer()

    return Operation(method="GET", path="/leaving", view=leave, allows=Access.TOKEN, answers={204: None}, **more)


def test_what_is_deprecated_says_so_in_the_document_and_in_each_answer(app, anns, monkeypatch):
    leaving = _leaving(deprecated="2026-11-30", sunset="2027-06-01")
    headers = {"Deprecation": "@1795996800", "Sunset": "Tue, 01 Jun 2027 00:00:00 GMT"}
    assert deprecation_headers(leaving) == headers
    assert deprecation_headers(_leaving()) == {}
    rows = dict(OPERATIONS) | {"show_user": leaving}
    monkeypatch.setattr("webapp.web.api.every_answer.OPERATIONS", rows)
    nobody = Program(app)
    anns.is_held = nobody.is_held = False
    for answer in (anns.get("/user"), anns.get("/user?x=1"), nobody.get("/user")):
        assert headers.items() <= dict(answer.headers).items()
    assert "Sunset" not in anns.get("/nothing").headers
    monkeypatch.setattr("webapp.web.api.openapi.OPERATIONS", {"leave": leaving})
    said = openapi.document("Errand", "http://localhost")["paths"]["/leaving"]["get"]
    assert said["deprecated"]
    assert {"Deprecation", "Sunset"} <= said["responses"]["204"]["headers"].keys()


def test_nothing_leaves_without_half_a_year_of_notice():
    for operation in filterfalse(lambda row: not row.sunset, OPERATIONS.values()):
        assert operation.deprecated, f"{operation.name} goes, and nobody is told"
        assert _days(operation.sunset) - _days(operation.deprecated) >= 180


def _days(day: str) -> int:
    return date.fromisoformat(day).toordinal()
