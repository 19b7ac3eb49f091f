"""What every answer of the API has, and what none has."""

import pytest

from tasks.engine.models.artifact import Kind
from tests.webapp.web.api.client import Program
from webapp.dev.factories import make_artifact, make_task
from webapp.models import State

ASKED = [("GET", "/user"), ("HEAD", "/user"), ("GET", "/nothing"), ("POST", "/user"), ("OPTIONS", "/user")]
ASKED += [("GET", "/user?x=1"), ("GET", "/openapi.json")]
FROM_A_PAGE = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT", "Cookie": "errand=x"}


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_every_answer_has_headers_fit_for_json(app, anns, method, path):
    for program in (anns, Program(app)):
        answer = program.ask(method, path)
        assert answer.headers.getlist("Content-Security-Policy") == ["default-src 'none'; frame-ancestors 'none'"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Vary"] == "Authorization"
        assert len(answer.headers.getlist("Cache-Control")) == 1
        assert "html" not in answer.headers.get("Content-Type", "")
        assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_no_page_of_another_site_reads_anything(anns, method, path):
    answer = anns.ask(method, path, headers=FROM_A_PAGE)
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]
    assert "Set-Cookie" not in answer.headers


def test_a_head_is_a_get_without_its_body(anns):
    whole, head = anns.get("/user"), anns.ask("HEAD", "/user")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    refused = anns.ask("HEAD", "/user?x=1")
    assert (refused.status_code, refused.data) == (422, b"")


@pytest.mark.parametrize("what", ["task", "text", "link"])
def test_a_read_for_another_version_is_refused_and_sends_nothing_of_this_one(anns, what):
    kind = Kind.LINK if what == "link" else Kind.TEXT
    artifact = make_artifact(make_task(State.SUCCEEDED, anns.user), data="https://example.com/x", kind=kind)
    path = f"/tasks/{artifact.task.id}" if what == "task" else f"/artifacts/{artifact.id}/content"
    etag = anns.get(path).headers["ETag"]
    assert anns.get(path, headers={"If-Match": etag}).status_code == 200
    answer = anns.get(path, headers={"If-Match": '"another"'})
    assert (answer.status_code, answer.headers["ETag"]) == (412, etag)


def test_options_says_what_an_address_takes_and_needs_no_token(app):
    answer = Program(app).ask("OPTIONS", "/user")
    assert (answer.status_code, answer.data) == (204, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "Content-Type" not in answer.headers


def test_a_request_id_is_taken_if_it_is_one(anns):
    assert anns.get("/user", headers={"X-Request-ID": "a-1.b_2"}).headers["X-Request-ID"] == "a-1.b_2"
    for bad in ("a b", "ü", "x" * 129, ""):
        made = anns.get("/user?x=1", headers={"X-Request-ID": bad})
        assert made.headers["X-Request-ID"] == made.json["request_id"] != bad


def test_the_log_says_which_token_it_was_and_never_the_token(anns, written):
    lines = written()
    anns.get("/user", headers={"X-Request-ID": "mine"})
    anns.get("/user?x=1")
    text = "\n".join(lines.all())
    assert f"token_id={anns.token.id}" in text
    assert "request_id=mine" in text
    assert anns.headers["Authorization"].split()[1] not in text
