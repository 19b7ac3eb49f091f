"""What the server answers before the app sees a request is a problem, too, where a program asked."""

import json
import re
from collections.abc import Iterator
from http.client import HTTPResponse
from io import BytesIO
from types import SimpleNamespace

import pytest

from webapp.web.api.problems import PROBLEM_TYPES
from webapp.web.server import connection as connections
from webapp.web.server import limits
from webapp.web.server.framing import Received
from webapp.web.server.refusals import SLUGS

API = b"GET /api/v1/user%s HTTP/1.1\r\nHost: a\r\n"
UPLOAD = b"POST /api/v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
CHUNKED = b"POST /api/v1/tasks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "two lengths": (API % b"" + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "a folded line": (API % b"" + b"X-A: a\r\n b\r\n\r\n", 400),
    "no version": (b"GET /api/v1/user\r\n\r\n", 400),
    "an expectation": (API % b"" + b"Expect: a miracle\r\n\r\n", 417),
    "a coding": (API % b"" + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    "a long address": (API % (b"?" + b"a" * 9000) + b"\r\n", 414),
    "a long line": (API % b"" + b"X-A: " + b"a" * 9000 + b"\r\n\r\n", 431),
    "a head without an end": (API % b"" + b"X-A: a\r\n" * 20_000, 431),
    "a chunk that is none": (CHUNKED + b"x\r\n\r\n", 400),
}


def _problem(answer: bytes) -> tuple[int, dict]:
    """The status and the document of the last answer, which must be a problem."""
    found = answer[answer.rindex(b"HTTP/1.1 ") :]
    response = HTTPResponse(SimpleNamespace(makefile=lambda *_: BytesIO(found)))  # type: ignore[arg-type]
    response.begin()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Connection"] == "close"
    document = json.loads(response.read())
    assert document["status"] == response.status
    return response.status, document


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_proper_request_is_a_problem(serve, name):
    data, status = MALFORMED[name]
    assert _problem(serve().ask(data))[0] == status


def test_what_asks_for_a_page_gets_a_page(serve):
    for path in (b"/", b"/apis", b"/login?next=/api/v1/"):
        answer = serve().ask(b"GET " + path + b" HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
        assert b"Content-Type: text/html" in answer


@pytest.mark.parametrize("begun", [b"GET /api/v1/user HTTP/1.1\r\n", CHUNKED])
def test_a_program_that_is_too_slow_is_told_so(serve, monkeypatch, begun):
    monkeypatch.setattr(limits, "HEAD_WITHIN", 0.1)
    monkeypatch.setattr(limits, "BODY_WITHIN", 0.1)
    assert _problem(serve().ask(begun))[0] == 408


def test_where_too_many_wait_a_program_is_told_when_to_come_back(serve, monkeypatch):
    monkeypatch.setattr(limits, "MAX_QUEUED", 0)
    answer = serve().ask(API % b"" + b"\r\n")
    status, document = _problem(answer)
    assert (status, document["type"]) == (503, "/developers/problems/unavailable")
    assert b"Retry-After: 5\r\n" in answer
    assert "Try again" in document["detail"]
    head = serve().ask(b"HEAD /api/v1/user HTTP/1.1\r\nHost: a\r\n\r\n")
    assert re.search(rb"HTTP/1.1 503", head)
    assert head.endswith(b"\r\n\r\n"), "and no body"


def test_where_there_is_no_room_for_a_body_a_program_is_told_so(serve, monkeypatch, caplog):
    def write(received: Received) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Received, "write", write)
    assert _problem(serve().ask(UPLOAD))[0] == 503
    assert len(UPLOAD) > connections.AS_FAR


def test_an_app_that_breaks_altogether_is_a_problem(serve, caplog):
    def broken(environ, start_response) -> Iterator[bytes]:
        raise ZeroDivisionError

    status, document = _problem(serve(broken).ask(API % b"" + b"\r\n"))
    assert (status, document["type"]) == (500, "/developers/problems/server-error")
    assert "ZeroDivisionError" in caplog.text
    assert "Zero" not in document["detail"]


def test_the_kinds_of_problems_that_the_server_names_are_those_of_the_api():
    kinds = {each.slug: each.status for each in PROBLEM_TYPES}
    assert all(kinds[slug] == status for status, slug in SLUGS.items())
