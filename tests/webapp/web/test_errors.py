"""Errors are pages in words."""

import sqlite3
import time
from contextlib import closing
from uuid import uuid4

import pytest

from tests.browsing import browse, one
from tests.webapp.web.site import HTMX, is_guarded
from webapp import db
from webapp.dev.factories import (
    make_task,
)
from webapp.models import Post, State
from webapp.storage import use_database
from webapp.web.routes import BLUEPRINTS


def test_a_request_that_is_too_large_is_refused(ann):
    answer = ann.post("/posts", data={"csrf_token": ann.token(), "body": "x" * 11 * 1024 * 1024})
    assert answer.status_code == 413
    assert "too large" in answer.words.lower()
    assert not Post.select().exists()


def test_a_field_that_is_no_file_may_not_be_as_large_as_one(ann):
    fields = {"csrf_token": ann.token(), "body": "x" * 1_100_000}
    parts = [f'--xx\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    body = f"{''.join(parts)}--xx--\r\n"
    assert ann.post("/posts", data=body, content_type="multipart/form-data; boundary=xx").status_code == 413


@pytest.mark.parametrize("body", ["a&" * 500_000, "a=b&" * 2000, "&" * 1_000_000, "body=" + "x" * 3_200_000])
def test_a_form_of_more_fields_or_text_than_any_has_is_refused_before_it_is_read(ann, body):
    kind = "application/x-www-form-urlencoded"
    began = time.process_time()
    assert ann.post("/posts", data=body, content_type=kind).status_code == 413
    assert time.process_time() - began < 1


def test_a_form_of_a_thousand_fields_is_read(ann):
    tasks = [str(uuid4()) for _ in range(1000)]
    answer = ann.post("/tasks/bulk", data={"csrf_token": ann.token(), "action": "cancel", "task": tasks})
    assert answer.status_code == 303


def test_an_error_is_a_page_in_words_with_a_way_home(ann, visitor):
    for browser in (ann, visitor):
        for address, code in (("/nowhere", 404), ("/?before=x", 400)):
            answer = browser.get(address)
            assert answer.status_code == code
            assert answer.one("main h1").text
            assert answer.one('main a[href="/"]')


def test_an_error_for_htmx_is_empty(ann):
    answer = ann.get("/nowhere", headers=HTMX)
    assert (answer.status_code, answer.data) == (404, b"")


PRESSED = HTMX | {"HX-Source": "button#cancel"}


def _said(answer) -> str:
    """What a page says after such an answer to a press."""
    assert answer.one('hx-partial[hx-target="#press-mark"] > #press-mark > i[class=""]'), "it did get through"
    return " ".join(answer.one('hx-partial[hx-target="#flashes"]').text.split())


def test_who_pressed_a_button_is_told_what_is_wrong(ann, bob):
    task = make_task(State.IN_PROGRESS, bob.user)
    answer = ann.submit(f"/tasks/{task.id}/cancellation", headers=PRESSED)
    assert answer.status_code == 404
    assert "no longer exists" in _said(answer)
    answer = ann.submit("/notifications/records/4711/reading", headers=PRESSED)
    assert answer.status_code == 404
    assert "Page not found." in _said(answer)
    for source in ("textarea#body", "div"):
        answer = ann.submit("/nowhere", headers=HTMX | {"HX-Source": source})
        assert (answer.status_code, answer.data) == (404, b""), "but nobody is interrupted who types"


@pytest.fixture
def broken(make_app, tmp_path):
    """A browser at a site whose database is away."""
    (tmp_path / "a file").touch()
    app = make_app()
    db.database.close()
    db.configure(f"sqlite:///{tmp_path}/a file/errand.db")
    yield browse(app)
    use_database(app.config["SETTINGS"])


def test_without_a_database_the_site_says_so_in_words(broken):
    answer = broken.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "We’ll be right back" in answer.words
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()
    assert is_guarded(answer)


def test_without_a_database_somebody_signed_in_gets_the_same_words(broken):
    token = broken.token()
    with broken.session_transaction() as session:
        session["_user_id"] = "some key"
    for address, code, words in (
        ("/", 503, "We’ll be right back"), ("/tasks", 503, "We’ll be right back"), ("/nowhere", 404, "Page not found"),
    ):  # fmt: skip
        answer = broken.get(address)
        assert (answer.status_code, words in answer.words) == (code, True), address
    assert broken.get("/live", headers=HTMX).status_code == 503
    assert broken.get("/live", headers=HTMX).data == b""
    answer = broken.post("/notifications/reading", data={"csrf_token": token}, headers=PRESSED)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "isn’t answering right now" in _said(answer)


def test_a_try_again_leads_to_no_other_site(broken):
    with broken.session_transaction() as session:
        session["_user_id"] = "some key"
    answer = broken.get("//evil.example/")
    assert "//evil.example" not in answer.text


def test_without_a_database_the_probes_tell_the_difference(broken):
    assert broken.get("/healthz").status_code == 200
    assert broken.get("/readyz").status_code == 503


def test_with_a_database_both_probes_are_content(visitor):
    assert visitor.get("/healthz").status_code == visitor.get("/readyz").status_code == 200


def test_a_crash_is_logged_and_told_in_words(app, ann, caplog, monkeypatch):
    monkeypatch.setitem(app.view_functions, "tasks.index", lambda: 1 / 0)
    answer = ann.get("/tasks")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in answer.text


def test_after_a_failed_request_the_next_one_works(app, ann, monkeypatch):
    def fail_in_the_middle():
        db.database.begin()
        raise RuntimeError

    monkeypatch.setitem(app.view_functions, "tasks.catalogue", fail_in_the_middle)
    assert ann.get("/tasks/new").status_code == 500
    assert ann.submit("/posts", body="Hello").status_code == 303
    assert Post.select().count() == 1


def test_every_blueprint_is_on_the_map(app):
    endpoints = {rule.endpoint.partition(".")[0] for rule in app.url_map.iter_rules()}
    assert {bp.name for bp in BLUEPRINTS} - {"errors"} <= endpoints


def test_a_form_that_finds_the_database_locked_is_answered_in_words_and_kept(ann):
    """SQLite lets one write at a time; here somebody does so for longer than people are let to wait."""
    token = ann.token()
    db.database.obj.timeout = 0.1
    with closing(sqlite3.connect(db.database.obj.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = ann.post("/posts", data={"body": "Typed “while” locked", "csrf_token": token})
        assert ann.get("/healthz").status_code == 200
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    form = answer.one("main form")
    assert one(form, "input[name=body]")["value"] == "Typed “while” locked"
    ann.post(form["action"], data={field["name"]: field["value"] for field in form.select("input")})
    assert Post.get().body == "Typed “while” locked"
