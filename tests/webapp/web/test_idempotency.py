"""Twice is once: what every form that starts or writes something does when it comes again."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tasks.engine.retention import purge
from tests.browsing import Browser, browse
from tests.racing import race
from webapp.dev.factories import make_form_key, make_post, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import FormKey, Message, Post, State, Task, User
from webapp.models.form_key import KEEP
from webapp.web.idempotency import KEY_PATTERN, REPEAT_WINDOW
from webapp.web.routes.posts import writing

HTMX = {"HX-Request": "true"}


@dataclass
class Form:
    """A form of a page: where it stands, by what it is found there, and what somebody puts into it."""

    page: str
    selector: str
    made: Callable[[], int]
    fields: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)

    def key(self, browser: Browser) -> str:
        """The key of a form that this browser has just opened."""
        return str(browser.get(self.page).one(f"{self.selector} [name=form_key]")["value"])

    def send(self, browser: Browser, key: str, **fields: Any) -> Any:
        """Send it; `fields` go before its own."""
        form = browser.get(self.page).one(self.selector)
        data = {"csrf_token": form.select_one("[name=csrf_token]")["value"], "form_key": key}
        return browser.post(form["action"], data=data | _with_files(self.fields | fields))


def _with_files(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (io.BytesIO(value), "posts.csv") if isinstance(value, bytes) else value for name, value in fields.items()
    }


def _tasks() -> int:
    return Task.select().count()


FORMS = {
    "post": Form("/", "form.composer", lambda: Post.select().count(), {"body": "Hello"}, {"body": "Hello again"}),
    "message": Form(
        "/messages/bob", "#composer", lambda: Message.select().count(), {"body": "Hello"}, {"body": "Hello?"}
    ),
    "task": Form("/tasks/new/countdown", "form.form", _tasks, {"seconds": "40"}, {"seconds": "41"}),
    "task with a file": Form(
        "/tasks/new/import_posts", "form.form", _tasks, {"file": b"body\nOne\nTwo\n"}, {"file": b"body\nOne\nToo\n"}
    ),
    "export": Form("/people/ann", "form[action$=export_posts]", _tasks, {"format": "csv"}, {"format": "json"}),
}  # fmt: skip
SEVERAL = sorted(FORMS.keys() - {"export"})  # of which somebody may have several under way
WRITTEN = ["post", "message"]


@pytest.fixture
def app(each_database):
    """All of this holds on both databases."""
    return each_database


@pytest.fixture
def ann(app):
    """Ann's browser; Bob is there, too."""
    make_user("bob")
    return browse(app, make_user("ann"))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_comes_again_finds_what_it_made(ann, name):
    form = FORMS[name]
    key = form.key(ann)
    first, again = form.send(ann, key), form.send(ann, key)
    assert (first.status_code, again.status_code, again.location) == (303, 303, first.location)
    assert form.made() == 1
    assert "already" in ann.get(again.location).words


@pytest.mark.parametrize("name", FORMS)
def test_of_two_at_once_one_is_made_and_both_are_led_to_it(app, ann, name):
    form = FORMS[name]
    key, cookie, token = form.key(ann), ann.get_cookie("errand").value, ann.token()
    path = ann.get(form.page).one(form.selector)["action"]

    def press():
        browser = browse(app)
        browser.set_cookie("errand", cookie)
        return browser.post(path, data={"csrf_token": token, "form_key": key} | _with_files(form.fields))

    answers = race(3, press)
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, answers[0].location)}
    assert form.made() == 1


@pytest.mark.parametrize("name", SEVERAL)
def test_other_words_from_the_same_page_are_another_form(ann, name):
    form = FORMS[name]
    key = form.key(ann)
    first = form.send(ann, key)
    other = form.send(ann, key, **form.other)
    assert other.status_code == 303
    assert form.made() == 2
    assert form.send(ann, key).location == first.location
    assert form.made() == 2, "and each is known"


@pytest.mark.parametrize("name", SEVERAL)
def test_two_tabs_make_two(ann, name):
    form = FORMS[name]
    keys = {form.key(ann) for _ in range(2)}
    assert len(keys) == 2
    for key, fields in zip(keys, ({}, form.other if name in WRITTEN else {}), strict=True):
        assert form.send(ann, key, **fields).status_code == 303
    assert form.made() == 2


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_words_from_a_page_that_was_loaded_anew_are_asked_about(ann, name):
    form = FORMS[name]
    form.send(ann, form.key(ann))
    asked = form.send(ann, form.key(ann))
    assert (asked.status_code, form.made()) == (422, 1)
    assert "exactly this" in asked.one("#body-error").text
    assert asked.one("#body").text.strip() == form.fields["body"]
    hidden = {each["name"]: each["value"] for each in asked.page.select(f"{form.selector} [type=hidden]")}
    for _ in range(2):
        answer = ann.post(asked.one(form.selector)["action"], data=form.fields | hidden)
        assert answer.status_code == 303
    assert form.made() == 2, "who means it is not asked again, and two presses are one"


@pytest.mark.parametrize("name", WRITTEN)
def test_a_second_press_that_looks_just_before_the_first_has_ended_is_not_asked_about(ann, name, monkeypatch):
    form = FORMS[name]
    key = form.key(ann)
    first = form.send(ann, key)
    module = {"post": "posts.writing", "message": "messages.conversations"}[name]
    monkeypatch.setattr(f"webapp.web.routes.{module}.replay_response", lambda *_: None)
    again = form.send(ann, key)
    assert (again.status_code, again.location, form.made()) == (303, first.location, 1)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_words_are_not_asked_about_when_others_came_between_or_it_was_long_ago(ann, name):
    form = FORMS[name]
    for fields in ({}, form.other, {}):
        assert form.send(ann, form.key(ann), **fields).status_code == 303
    for model in (Post, Message):
        model.update(created_at=utcnow() - REPEAT_WINDOW).execute()
    assert form.send(ann, form.key(ann)).status_code == 303
    if name == "message":
        Message.send(User.by_username("bob"), ann.user, "Hello yourself")
        assert form.send(ann, form.key(ann)).status_code == 303


@pytest.mark.parametrize("key", ["", "\0", "x" * 33, "x" * 100_000, "ключ", "a b"])
@pytest.mark.parametrize("name", ["post", "task"])
def test_a_form_without_a_key_or_with_what_is_none_is_made_as_often_as_it_comes(ann, name, key):
    form = FORMS[name]
    for _ in range(2):
        assert form.send(ann, key).status_code == 303
    assert form.made() == 2
    assert not FormKey.select().exists()


def test_a_form_that_was_invalid_can_be_corrected_and_sent_with_its_key(ann):
    form = FORMS["post"]
    key = form.key(ann)
    assert form.send(ann, key, body="x" * 501).status_code == 422
    assert form.send(ann, key).status_code == 303
    assert form.made() == 1


def test_a_form_that_fails_half_way_leaves_nothing_and_can_be_sent_again(ann, monkeypatch):
    form = FORMS["post"]
    key = form.key(ann)

    def fail(*_: Any, **__: Any) -> None:
        make_post(ann.user)
        raise RuntimeError("the disk is full")

    ann.application.config["PROPAGATE_EXCEPTIONS"] = False
    with monkeypatch.context() as patched:
        patched.setattr(writing, "Made", fail)
        assert form.send(ann, key).status_code == 500
    assert form.made() == FormKey.select().count() == 0
    assert form.send(ann, key).status_code == 303


def test_another_person_with_the_same_key_makes_their_own(app, ann):
    form = FORMS["post"]
    key = form.key(ann)
    form.send(ann, key)
    form.send(browse(app, User.by_username("bob")), key)
    assert form.made() == 2


def test_another_form_is_told_that_a_task_of_one_at_a_time_is_under_way(ann):
    form = FORMS["export"]
    first = form.send(ann, form.key(ann))
    other = form.send(ann, form.key(ann))
    assert other.location == first.location
    assert "hasn’t finished yet" in ann.get(other.location).words
    assert FormKey.select().count() == 1, "what started nothing can be sent again later"


def test_a_task_for_a_time_that_has_passed_meanwhile_is_found_and_not_refused(ann):
    form = FORMS["task"]
    key, at = form.key(ann), f"{utcnow() + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    first = form.send(ann, key, run_at=at)
    with pytest.MonkeyPatch.context() as later:
        later.setattr("webapp.web.forms.start_time.utcnow", lambda: utcnow() + timedelta(days=2))
        again = form.send(ann, key, run_at=at)
    assert (again.status_code, again.location) == (303, first.location)
    assert form.made() == 1


def test_who_deleted_the_task_may_start_it_again(ann):
    form = FORMS["task"]
    key = form.key(ann)
    form.send(ann, key)
    Task.update(state=State.SUCCEEDED).execute()
    Task.get().remove()
    again = form.send(ann, key)
    assert ann.get(again.location).status_code == 200


def test_keys_are_forgotten_after_a_day(app):
    user = make_user()
    for _ in range(3):
        make_form_key(user, task=None, at=utcnow() - KEEP - timedelta(seconds=1))
    kept = make_form_key(user, task=None, at=utcnow() - KEEP + timedelta(minutes=1))
    assert purge() == 0, "nobody is told of keys"
    assert [row.id for row in FormKey.select()] == [kept.id]


# Undo


def _undo(ann: Browser) -> tuple[str, str, str]:
    task = make_task(State.SUCCEEDED, ann.user, name="import_posts", title="Import", arguments={})
    make_post(ann.user, task=task)
    page = ann.get(f"/tasks/{task.id}")
    path = page.one(f"button[formaction='/tasks/{task.id}/undo']")["formaction"]
    return path, page.one("#action [name=form_key]")["value"], page.one("#action [name=csrf_token]")["value"]


def test_an_undo_that_comes_again_when_all_is_undone_leads_to_the_first(ann, run_waiting):
    path, key, token = _undo(ann)
    first = ann.post(path, data={"csrf_token": token, "form_key": key})
    run_waiting()
    assert not Post.select().exists()
    again = ann.post(path, data={"csrf_token": token, "form_key": key})
    assert (again.status_code, again.location) == (303, first.location)
    assert Task.select().where(Task.name == "undo_import").count() == 1


def test_a_page_that_stays_gets_a_new_key_for_its_next_press(ann, run_waiting):
    form = FORMS["export"]
    key = form.key(ann)
    path, token = "/tasks/new/export_posts", ann.token()
    data = {"csrf_token": token, "format": "csv", "form_key": key}
    for _ in range(2):  # the second finds the first, and is told so
        answer = ann.post(path, data=data, headers=HTMX)
        renewed = answer.one(f"[hx-target='#form-key-{key}'] input")
        assert KEY_PATTERN.fullmatch(renewed["value"])
        assert renewed["id"] == f"form-key-{renewed['value']}"
    run_waiting()
    assert form.made() == 1
    assert ann.post(path, data=data | {"form_key": renewed["value"]}, headers=HTMX).status_code == 200
    assert form.made() == 2


# Every form


def test_every_form_that_starts_or_writes_something_has_a_key_of_its_own(ann):
    names = re.findall(r"/tasks/new/(\w+)", str(ann.get("/tasks/new").page))
    keys = []
    for path, selector in [("/mail", "#mail"), *((f.page, f.selector) for f in FORMS.values())] + [
        (f"/tasks/new/{name}", "form.form") for name in set(names)
    ]:
        page = ann.get(path)
        for each in (selector, "#action"):
            found = page.one(f"{each} [name=form_key]")
            assert found["autocomplete"] == "off", "a page that is loaded again has a new one"
            keys.append(found["value"])
    assert len(set(keys)) == len(keys)
    assert all(KEY_PATTERN.fullmatch(key) for key in keys)


def test_a_polled_fragment_has_no_form_key(ann):
    for path in ("/live", "/tasks/_list", "/messages/_inbox", "/messages/bob/_thread", "/mail/_list"):
        assert "form_key" not in ann.get(path, headers=HTMX).text
