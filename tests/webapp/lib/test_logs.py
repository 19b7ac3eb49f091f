"""Log lines: what each says, that nobody can forge one, and which are written at all."""

import io
import json
import logging
import re
from dataclasses import replace
from hashlib import sha256
from secrets import token_urlsafe

import pytest
from flask import url_for
from itsdangerous import URLSafeSerializer

from tasks.engine import TaskError, TemporaryError
from tests.browsing import browse
from tests.log_lines import Lines
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_message, make_task, make_user
from webapp.lib import logs
from webapp.lib.times import utcnow
from webapp.lib.token_text import new_text
from webapp.models import State, Task
from webapp.web.polling import POLLED_FRAGMENTS

ID = "0123456789abcdef-0123"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
HOSTILE = "a\nERROR 1 webapp: forged\r\x1b[2J\x00\x85\u2028\u202e\ud800b"


def test_a_line_says_when_how_bad_where_and_what_it_is_about(written):
    text, as_json = written(), written("json")
    with logs.context(task_id="7", user_id=5), logs.context(attempt=2):
        logging.getLogger("webapp.x").warning("It is %s", "late")
    logging.getLogger("webapp.x").warning("It is over")
    first, second = text.all()
    assert re.fullmatch(rf"{TIME} WARNING \d+ webapp\.x: It is late task_id=7 user_id=5 attempt=2", first)
    assert second.endswith("webapp.x: It is over")
    line, _ = as_json.objects("webapp.x")
    assert re.fullmatch(TIME, line.pop("time"))
    assert line.pop("pid")
    about = {"task_id": "7", "user_id": 5, "attempt": 2}
    assert line == {"level": "WARNING", "logger": "webapp.x", "message": "It is late"} | about


def test_where_the_platform_says_the_time_a_line_does_not(written):
    lines = written(log_times=False)
    logging.getLogger("webapp.x").warning("Late")
    assert lines.all()[0].startswith("WARNING ")


@pytest.fixture
def apart(written, monkeypatch):
    """`written`, but only of the logger webapp.x, whose lines nobody else sees: what gathers those of tests cannot
    send surrogates from one process to another."""
    logger, root = logging.getLogger("webapp.x"), logging.getLogger()
    monkeypatch.setattr(logger, "propagate", False)

    def apart(log_format: str) -> Lines:
        lines = written(log_format)
        root.removeHandler(lines)
        monkeypatch.setattr(logger, "handlers", [lines])
        return lines

    return apart


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nobody_can_forge_a_line(apart, log_format):
    lines = apart(log_format)
    with logs.context(request_id=HOSTILE):
        logging.getLogger("webapp.x").warning("%s", HOSTILE)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("webapp.x").exception("It failed")
    said = lines.stream.getvalue()
    assert said.encode()
    assert not set(HOSTILE) & set(said) - set("\n :1abERORwebapp.forgedRO[2J")
    if log_format == "json":
        assert len(said.splitlines()) == 2
        assert "forged" in json.loads(said.splitlines()[1])["exception"]
    else:
        ours = [line for line in said.splitlines() if not line.startswith("    ")]
        assert len(ours) == 2
        assert all(re.match(f"{TIME} ", line) for line in ours)


@pytest.mark.parametrize("character", ["x", '"', "\x00", "\U0001f600", "\ud800"])
def test_a_line_of_json_is_short_whatever_is_in_it(apart, character):
    lines = apart("json")
    with logs.context(**{f"field_{number}": character * 10_000 for number in range(5)}):
        try:
            raise ValueError(character * 100_000)
        except ValueError:
            logging.getLogger("webapp.x").exception(character * 100_000)
    [line] = lines.stream.getvalue().splitlines()
    assert len(line.encode()) < 10_000
    assert json.loads(line)["logger"] == "webapp.x"


# Requests


def test_a_page_leaves_a_line_that_says_who_asked_for_what_and_how_it_went(ann, written):
    text, as_json = written(), written("json")
    answer = ann.get("/tasks?q=something+private", headers={"X-Request-ID": ID})
    [line] = as_json.objects("webapp.access")
    assert (line["method"], line["path"], line["status"], line["message"]) == ("GET", "/tasks", 200, "GET /tasks 200")
    assert (line["user_id"], line["request_id"], line["bytes"]) == (ann.user.id, ID, len(answer.data))
    assert 0 <= line["ms"] < 60_000
    assert answer.headers["X-Request-ID"] == ID
    [line] = text.all("webapp.access")
    assert f"GET /tasks 200 request_id={ID} user_id={ann.user.id} ms=" in line
    assert "private" not in line
    assert "ann" not in line


@pytest.mark.parametrize("given", ["", "two words", "a\tb", "é", "x" * 129, "a=1 user_id=1", '"'])
def test_an_id_that_is_none_is_replaced(visitor, given):
    answers = [visitor.get("/login", headers={"X-Request-ID": given}) for _ in range(2)]
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


def test_what_browsers_and_probes_ask_for_by_themselves_leaves_no_line(app, ann, written):
    make_message(make_user("bob"), ann.user)
    what = {"task_id": make_task(State.IN_PROGRESS, ann.user).id, "username": "bob", "filename": "app.css"}
    staff, lines = browse(app, make_staff()), written()
    ann.get("/")
    version = ann.get("/live").headers["ETag"]
    assert ann.get("/live", headers={"If-None-Match": version}).status_code == 304
    with app.test_request_context():
        paths = [url_for(name, **what) for name in (*POLLED_FRAGMENTS, "static", "health.healthz", "health.readyz")]
    asking = {path: staff if path.startswith("/desk") else ann for path in paths}
    assert len({asking[path].get(path, headers={"HX-Request": "true"}).status_code for path in paths}) == 1
    assert [line.split(": ")[1].split(" request")[0] for line in lines.all("webapp.access")] == ["GET / 200"]
    assert ann.get("/live").headers["X-Request-ID"]


def test_what_is_nowhere_or_goes_wrong_leaves_a_line_too(app, ann, written):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/broken", "broken", lambda: 1 / 0)
    lines = written("json")
    ann.get("/no%0d%0away")
    assert ann.get("/broken", headers={"X-Request-ID": ID}).status_code == 500
    nowhere, broken = lines.objects("webapp.access")
    assert (nowhere["path"], nowhere["status"]) == (r"/no\r\nway", 404)
    assert (broken["path"], broken["status"]) == ("/broken", 500)
    [told] = lines.objects("webapp.app")
    assert told["request_id"] == ID
    assert "ZeroDivisionError" in told["exception"]


def test_a_secret_in_an_address_is_in_no_line(app, visitor, written):
    app.add_url_rule("/letter/<token>", "letter", lambda token: "")
    lines = written()
    visitor.get("/letter/let-me-in")
    assert "GET /letter/… 200" in lines.all("webapp.access")[0]
    token = URLSafeSerializer("key", signer_kwargs={"digest_method": sha256}).dumps(token_urlsafe(16))
    for nearly in ("/email/confirmation/{}/", "/email//confirmation/{}", "/Email/undo/{})", "/password/new&token={}"):
        visitor.get(nearly.format(token))
    assert [line.count("…") for line in lines.all("webapp.access")[1:]] == [1] * 4
    assert token not in lines.stream.getvalue()


def test_nothing_is_left_to_the_next_request_of_a_thread(app, ann, visitor, written):
    lines = written("json")
    ann.get("/tasks")
    visitor.get("/login")
    seen = [(line["path"], line.get("user_id")) for line in lines.objects("webapp.access")]
    assert seen == [("/tasks", ann.user.id), ("/login", None)]


def test_a_sign_in_that_fails_is_told_without_what_was_typed(app, visitor, written):
    user = make_user("ann", password="correct horse battery", created_at=utcnow())
    lines = written("json")
    for name in ("ann", "my own secret password"):
        visitor.submit(
            "/login",
            username=name,
            password="hunter2",
        )
    visitor.submit("/login", username="ann", password="correct horse battery")
    known, unknown, in_ = lines.objects("errand.security")
    assert (known["event"], known["account_id"], known["network"]) == ("sign-in failed", user.id, "127.0.0.0/24")
    assert (unknown["event"], "account_id" in unknown, unknown["network"]) == ("sign-in failed", False, "127.0.0.0/24")
    assert (in_["event"], in_["account_id"], in_["is_new_browser"]) == ("signed in", user.id, False)
    assert known["request_id"] != unknown["request_id"]
    said = lines.stream.getvalue()
    assert "secret" not in said
    assert "hunter2" not in said
    assert "horse" not in said


def test_the_development_server_says_nothing_twice(make_app, monkeypatch, settings):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    logs.configure(settings)
    [handler] = root.handlers
    handler.setStream(io.StringIO())
    werkzeug = logging.getLogger("werkzeug")
    werkzeug.warning("%s - - [27/Nov/2026 17:20:24] %s", "127.0.0.1", '"GET / HTTP/1.1" 200 -')
    werkzeug.warning(" * Running on http://127.0.0.1:5000")
    assert "Running on" in handler.stream.getvalue()
    assert "GET" not in handler.stream.getvalue()
    logging.getLogger("flask-limiter").info("ratelimit 1 per 1 hour (203.0.113.7) exceeded")
    assert "203.0.113.7" not in handler.stream.getvalue(), "the security log tells it, without all of an address"
    logs.configure(replace(settings, log_format="json"))
    assert root.handlers == [handler], "configured twice, it writes once"
    werkzeug.warning("As JSON")
    assert json.loads(handler.stream.getvalue().splitlines()[-1])["message"] == "As JSON"


# Tasks

OUTCOMES = {
    "succeeded": None,
    "failed": TaskError("There is no column amount."),
    "retrying": TemporaryError("The shop does not answer."),
}


@pytest.mark.parametrize("state", OUTCOMES)
def test_a_run_leaves_a_line_as_it_begins_and_one_that_says_how_and_why_it_ended(declare, run_waiting, written, state):
    @declare(title="A task of a test", retries=1)
    def work(task):
        logging.getLogger("webapp.x").info("At work")
        if OUTCOMES[state]:
            raise OUTCOMES[state]

    lines = written("json")
    task = work.launch(make_user())
    run_waiting()
    begins, ends = lines.objects("tasks.engine.executor")
    [within] = lines.objects("webapp.x")
    about = {"task_id": str(task.id), "kind": "work", "attempt": 1, "user_id": task.user_id}
    assert all(about.items() <= line.items() for line in (begins, within, ends))
    assert begins["message"] == "The run begins"
    reason = f": {OUTCOMES[state]}" if OUTCOMES[state] else ""
    assert re.fullmatch(rf"The run ends after \d\.\d+ s: {state}{re.escape(reason)}", ends["message"])


def test_what_was_not_foreseen_is_told_with_its_traceback_once(declare, run_waiting, written):
    @declare(title="A task of a test")
    def divide(task):
        return 1 / 0

    lines = written()
    task = divide.launch(make_user())
    run_waiting()
    said = lines.stream.getvalue()
    assert said.count("Traceback") == 1
    [line] = [line for line in lines.all() if "failed unexpectedly" in line]
    assert str(task.id) in line
    assert Task.get().state == State.FAILED


def test_browsers_are_told_the_id_also_where_a_form_is_wrong(app):
    assert browse(app).submit("/login", username="", password="").headers["X-Request-ID"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_token_is_in_no_line_wherever_it_was_and_however_long_the_line_is(written, log_format):
    text, lines = new_text(), written(log_format)
    log = logging.getLogger("webapp.x")
    for before in (0, logs.LONGEST_FIELD // 2 - 20, logs.LONGEST_MESSAGE // 2 - 20, logs.LONGEST_EXCEPTION // 2 - 40):
        said = "-" * before + text + "-" * 9000
        try:
            raise ValueError(said)
        except ValueError:
            with logs.context(request_id=said):
                log.exception("It was %s", said, extra={"fields": {"path": said}})
    found = lines.stream.getvalue()
    assert text[:20] not in found
    assert "errand_pat_…" in found
