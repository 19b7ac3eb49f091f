"""Whatever goes wrong in a request to the API, the answer is a problem, and says what to do."""

import logging
import sqlite3
from contextlib import closing

import pytest
from peewee import OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException, TooManyRequests, default_exceptions

from tasks.engine import InvalidArguments
from tests.webapp.web.api.client import Program, pointers
from webapp import db
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.models import AlreadyRunning, IllegalTransition, OverQuota, SecretsGone, State
from webapp.models.passwords import HashingBusy
from webapp.models.search import SearchTooSlow
from webapp.models.search_places import TooManySearches
from webapp.storage import use_database
from webapp.web.api.authentication import HOW_TO_SEND
from webapp.web.api.call import NO_BODY
from webapp.web.api.errors import NO_SUCH_ADDRESS, REFUSALS
from webapp.web.api.problems import CONFLICT, PROBLEM_TYPES, Problem

RAISED = {
    Problem: (lambda: Problem(CONFLICT, "Too late."), "conflict", {"detail": "Too late."}),
    HTTPException: (lambda: TooManyRequests(retry_after=7), "rate-limited", {}),
    HashingBusy: (HashingBusy, "unavailable", {}),
    OverQuota: (lambda: OverQuota(Quota.POSTS, 3, 20), "quota-exceeded", {"quota": "posts", "most": 3}),
    InvalidArguments: (lambda: InvalidArguments({"numbers/3": "No."}), "invalid", {}),
    SearchTooSlow: (SearchTooSlow, "invalid", {}),
    TooManySearches: (TooManySearches, "unavailable", {}),
}
WITH_A_TASK = {AlreadyRunning: "already-running", IllegalTransition: "illegal-transition", SecretsGone: "secrets-gone"}


@pytest.fixture
def fails(app, monkeypatch, anns):
    """`fails(error)`: what a program is answered where an operation raises that."""

    def fails(error: Exception, method: str = "GET"):
        def view(**_):
            raise error

        monkeypatch.setitem(app.view_functions, "api.show_user", view)
        anns.is_held = False
        return anns.ask(method, "/user")

    return fails


def test_all_that_pages_have_an_error_handler_for_is_a_problem(app):
    handled = {kind for kinds in app.error_handler_spec[None].values() for kind in kinds}
    assert not [kind for kind in handled if not issubclass(kind, tuple(REFUSALS))]
    assert REFUSALS.keys() - {*RAISED, *WITH_A_TASK} == {
        kind for kind in REFUSALS if kind.__name__ == "PeeweeException"
    }


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_what_is_refused_is_a_problem_in_words(fails, kind):
    make, slug, more = RAISED[kind]
    answer = fails(make())
    assert answer.json["type"] == f"/developers/problems/{slug}"
    assert answer.json.items() >= more.items()
    assert answer.json["detail"]
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert "Retry-After" in answer.headers or answer.status_code not in {429, 503}


def test_a_second_start_names_the_task_that_is_under_way(fails, anns):
    task = make_task(State.IN_PROGRESS, anns.user)
    answer = fails(AlreadyRunning(task))
    assert answer.status_code == 409
    assert answer.json["task"] == str(task.id)


def test_wrong_arguments_are_named_by_pointer(fails):
    assert pointers(fails(InvalidArguments({"numbers/3": "No.", "file": "Yes?"}))) == {
        "/arguments/numbers/3": "No.",
        "/arguments/file": "Yes?",
    }


@pytest.mark.parametrize("code", sorted(default_exceptions))
def test_every_status_of_the_framework_is_a_problem_of_a_kind_that_is_explained(fails, code):
    answer = fails(default_exceptions[code]())
    assert answer.status_code == answer.json["status"]
    assert answer.json["type"].removeprefix("/developers/problems/") in {each.slug for each in PROBLEM_TYPES}
    assert (answer.status_code >= 500) == (code >= 500)


def test_a_crash_is_logged_once_and_its_problem_says_by_which_id_to_find_it(fails, caplog):
    answer = fails(ZeroDivisionError("secret words"))
    assert answer.status_code == 500
    assert "secret" not in answer.get_data(as_text=True)
    assert len([each for each in caplog.records if each.levelno >= logging.ERROR]) == 1
    assert answer.json["request_id"]


def test_a_query_that_is_wrong_is_a_crash_and_no_outage(fails):
    assert fails(ProgrammingError("no such function")).status_code == 500


def test_without_a_database_a_program_is_told_when_to_come_back(app, anns, tmp_path):
    (tmp_path / "a file").touch()
    db.database.close()
    db.configure(f"sqlite:///{tmp_path}/a file/errand.db")
    answer = anns.get("/user")
    use_database(app.config["SETTINGS"])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["type"].endswith("unavailable")
    assert "sqlite" not in answer.get_data(as_text=True).lower()


def test_a_database_that_is_behind_is_no_crash(fails):
    db.database.execute_sql("DELETE FROM schema_migration")
    answer = fails(OperationalError("no such table: api_tokens"))
    assert answer.status_code == 503
    assert "updated" in answer.json["detail"]


def test_an_address_that_is_none_is_a_problem_whatever_is_sent_to_it(anns):
    for path in ("/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/user/", "/api/%ff"):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"):
            answer = anns.ask(method, path)
            assert answer.status_code == 404, (method, path)
            assert answer.mimetype == "application/problem+json"


def test_nothing_is_led_on_to_another_address(anns):
    for path in ("/api/v1//user", "/api//v1/user", "/api/v1/user//"):
        answer = anns.get(path)
        assert answer.status_code == 404
        assert "Location" not in answer.headers


def test_a_method_that_an_address_does_not_take_is_answered_with_those_that_it_takes(anns):
    answer = anns.post("/user")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "HEAD", "OPTIONS"}
    assert "GET" in answer.json["detail"]


def test_another_host_is_told_where_the_site_is(make_app):
    app = make_app(base_url="https://example.com")
    answer = Program(app).get("/user", base_url="https://evil.example")
    assert answer.status_code == 421
    assert "https://example.com" in answer.json["detail"]


@pytest.mark.parametrize("path", ["/user", "/nothing"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_who_sends_a_token_over_http_is_refused_and_not_led_on(make_app, method, path):
    app = make_app(base_url="https://example.com")
    answer = Program(app, make_user("ann")).ask(method, path, base_url="http://example.com")
    assert answer.status_code == 403
    assert "Location" not in answer.headers
    if method != "HEAD":
        assert answer.json["type"].endswith("insecure")
        assert "https://example.com" in answer.json["detail"]


def test_a_body_that_is_too_large_is_refused_with_the_number(fails):
    answer = fails(default_exceptions[413]())
    assert answer.status_code == 413
    assert "MB" in answer.json["detail"]


def test_a_locked_database_is_an_outage(app, monkeypatch, anns):
    db.database.obj.timeout = 0.1

    def view(**_):
        db.database.execute_sql("UPDATE users SET seen_at = NULL")

    monkeypatch.setitem(app.view_functions, "api.show_user", view)
    with closing(sqlite3.connect(db.database.obj.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert anns.get("/user").status_code == 503


@pytest.mark.parametrize("header", ["{token}", "Token {token}", "Basic {token}", "Bearer ", ""])
def test_a_token_that_is_sent_in_another_way_is_answered_with_the_way(app, anns, header):
    token = anns.headers["Authorization"].removeprefix("Bearer ")
    answer = app.test_client().get("/api/v1/user", headers={"Authorization": header.format(token=token)})
    assert (answer.status_code, answer.json["detail"]) == (401, HOW_TO_SEND)


def test_a_get_with_a_body_is_refused_as_nobody_reads_it(anns):
    assert pointers(anns.get("/tasks", data="limit=3")) == {"": NO_BODY}
    assert anns.get("/tasks?limit=3").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/tasks/", "/api/v1", "/api/v1/nothing", "/api/tasks"])
def test_an_address_that_there_never_is_says_so(app, path):
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.json["detail"]) == (404, NO_SUCH_ADDRESS)
