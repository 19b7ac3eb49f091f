"""What holds for every operation: tokens, problems, queries."""

import pytest

from tests.webapp.web.api.client import Program
from webapp.models.scopes import Scope


def test_a_token_says_whose_it_is(anns):
    answer = anns.get("/user")
    assert answer.json["username"] == "ann"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer errand_pat_" + "0" * 36])
def test_without_a_good_token_there_is_a_401(app, header):
    answer = Program(app).get("/user", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi"])
def test_who_has_sent_no_token_is_told_how_and_not_that_it_is_wrong(app, header):
    answer = Program(app).get("/user", headers={"Authorization": header})
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Errand"'
    assert "Authorization: Bearer errand_pat_…" in answer.json["detail"]


def test_a_cookie_is_no_token(app, ann):
    answer = ann.get("/api/v1/user")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_an_unknown_address_is_a_problem(app, anns):
    for path in ("/nothing", "/user/", "/api/", "/api/v2/user"):
        assert anns.get(path).status_code == 404
    answer = anns.post("/user")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_an_unknown_parameter_is_named(anns):
    answer = anns.get("/user?x=1")
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"detail": "There is no such parameter.", "parameter": "x"}]


def test_the_document_is_public(app):
    document = Program(app).get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert "/user" in document["paths"]


def test_all_scopes_are_tried(anns):
    assert anns.token.scopes == set(Scope)
