"""The catalogue, starting a task, watching it, canceling and dismissing it."""

import threading
from typing import Annotated, Literal

import pytest

from tasks.catalogue import CATALOGUE
from tasks.engine import Labels, Range
from tasks.queue import huey
from tests.browsing import browse
from tests.factories import make_artifact, make_task
from webapp.models import State, Task
from webapp.models.task import FINISHED

ACTIONS = {"cancellation": "cancel", "dismissal": "dismiss"}


@pytest.fixture
def every_kind(declare, monkeypatch):
    """A task function with a parameter of each kind, in the catalogue."""

    @declare(title="Every kind")
    def every_kind(
        task,
        name: str,
        size: Annotated[Literal["small", "large"], Labels("Small", "Large")] = "small",
        copies: Annotated[int, Range(1, 9)] = 2,
        share: float = 0.5,
        loud: bool = False,
    ):
        """One field of each kind."""

    monkeypatch.setitem(CATALOGUE, "every_kind", every_kind)
    return every_kind


# Starting


def test_the_catalogue_names_every_kind_of_task(ann):
    page = ann.get("/tasks/new")
    for function in CATALOGUE.values():
        link = page.one(f'main a[href="/tasks/new/{function.name}"]')
        assert function.label in link.text
        assert function.description.split(".")[0] in link.text


def test_the_form_of_a_task_comes_from_its_signature(ann, every_kind):
    page = ann.get("/tasks/new/every_kind")
    assert {field["name"] for field in page.page.select("main [name]")} == {
        "csrf_token", "name", "size", "copies", "share", "loud",
    }  # fmt: skip
    assert [(o["value"], o.text) for o in page.page.select("#size option")] == [("small", "Small"), ("large", "Large")]
    copies = page.one("#copies")
    assert (copies["type"], copies["value"], copies["min"], copies["max"]) == ("number", "2", "1", "9")
    assert page.one("#share")["value"] == "0.5"
    assert page.one("#loud")["type"] == "checkbox"
    for name in ("name", "size", "copies", "share", "loud"):
        assert page.one(f'label[for="{name}"]').text.strip() == name.capitalize()
    assert "One field of each kind." in page.words


def test_a_form_starts_a_task_with_what_was_typed(ann, every_kind):
    answer = ann.submit("/tasks/new/every_kind", name="Ann", size="large", copies="9", share="0.25", loud="y")
    [task] = Task.select()
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    assert task.arguments == {"name": "Ann", "size": "large", "copies": 9, "share": 0.25, "loud": True}
    assert (task.user, task.state, huey.storage.queue_size()) == (ann.user, State.PENDING, 1)


def test_a_box_that_is_not_ticked_means_no(ann, every_kind):
    ann.submit("/tasks/new/every_kind", name="Ann", size="large", copies="9", share="0.25")
    assert Task.get().arguments["loud"] is False


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", None, ""),
        ("size", "huge", "Choose one of Small, Large"),
        ("size", "", "Choose one of Small, Large"),
        ("copies", "0", "from 1 to 9"),
        ("copies", "10", "from 1 to 9"),
        ("copies", "two", "whole number"),
        ("copies", "2.5", "whole number"),
        ("copies", "", "whole number"),
        ("copies", "9" * 400, "from 1 to 9"),
        ("share", "half", "number"),
        ("share", "nan", "number"),
        ("share", "inf", "number"),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_starts_nothing(ann, every_kind, field, value, words):
    sent = {"name": "Ann", "size": "large", "copies": "3", "share": "0.25", "loud": "y"} | {field: value}
    answer = ann.submit("/tasks/new/every_kind", **{name: text for name, text in sent.items() if text is not None})
    assert answer.status_code == 422
    assert words in answer.one(f"#{field}-error").text
    assert answer.one(f"#{field}")["aria-invalid"] == "true"
    if value and field != "size":
        assert answer.one(f"#{field}")["value"] == value, "what was typed is still there"
    if field != "copies":
        assert answer.one("#copies")["value"] == "3"
    assert not Task.select().exists()
    assert huey.storage.queue_size() == 0


def test_an_unknown_kind_of_task_is_not_found(ann):
    assert ann.get("/tasks/new/sing").status_code == 404
    assert ann.submit("/tasks/new/sing").status_code == 404


# One at a time


def test_a_second_export_is_told_and_not_started(ann):
    ann.submit("/tasks/new/export_posts", format="json")
    answer = ann.submit("/tasks/new/export_posts", format="csv")
    [task] = Task.select()
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    assert "already under way" in ann.get(answer.location).words
    assert huey.storage.queue_size() == 1


def test_two_presses_at_once_start_one_export(app, ann):
    token, barrier, answers = ann.token(), threading.Barrier(2), []
    cookie = ann.get_cookie("errand").value

    def press():
        browser = browse(app)
        browser.set_cookie("errand", cookie)
        barrier.wait()
        answers.append(browser.post("/tasks/new/export_posts", data={"csrf_token": token, "format": "json"}))

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [task] = Task.select()
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, f"/tasks/{task.id}")] * 2
    assert huey.storage.queue_size() == 1


def test_after_the_first_has_ended_another_may_start(ann, run_tasks):
    for _ in range(2):
        ann.submit("/tasks/new/export_posts", format="json")
        run_tasks()
    assert [task.state for task in Task.select()] == [State.SUCCEEDED] * 2


# Canceling and dismissing


@pytest.mark.parametrize("state", State)
def test_canceling_stops_what_runs_and_tells_the_truth_about_what_does_not(ann, state):
    task = make_task(state, ann.user)
    answer = ann.submit(f"/tasks/{task.id}/cancellation")
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    page = ann.get(answer.location)
    expected = {State.PENDING: State.CANCELED, State.IN_PROGRESS: State.CANCELING}.get(state, state)
    assert task.reload().state == page.one("article.task")["data-state"] == expected
    assert ("no longer works" in page.words) == (state not in (State.PENDING, State.IN_PROGRESS))


@pytest.mark.parametrize("state", State)
def test_dismissing_closes_the_alert_of_what_has_ended(ann, state):
    task = make_task(state, ann.user)
    answer = ann.submit(f"/tasks/{task.id}/dismissal")
    assert answer.status_code == 303
    assert (task.reload().dismissed_at is not None) == (state in FINISHED)
    assert bool(ann.get("/").page.select(f"#task-alerts #task-{task.id}")) == (state not in FINISHED)
    assert ann.get(f"/tasks/{task.id}").status_code == 200, "the task itself stays"


def test_dismissing_leads_back_to_the_page_one_was_on(ann):
    task = make_task(State.SUCCEEDED, ann.user)
    for came_from, leads_to in (
        ("http://localhost/people/ann?before=x", "/people/ann?before=x"),
        ("http://evil.example/", f"/tasks/{task.id}"),
        ("http://localhost//evil.example", f"/tasks/{task.id}"),
    ):
        answer = ann.submit(f"/tasks/{task.id}/dismissal", headers={"Referer": came_from})
        assert answer.location == leads_to


@pytest.mark.parametrize("state", State)
def test_a_button_is_there_when_it_works(ann, state):
    task = make_task(state, ann.user)
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        element = ann.get(path).one(f"#task-{task.id}")
        there = {button["formaction"].rpartition("/")[2] for button in element.select("button[formaction]")}
        works = {action for action, verb in ACTIONS.items() if getattr(task, f"can_{verb}")}
        assert there == (works if path == "/" else works - {"dismissal"}), f"{path}: only an alert can be closed"


def test_an_htmx_button_asks_the_page_to_look_again_which_then_says_what_happened(ann):
    task = make_task(State.IN_PROGRESS, ann.user)
    answer = ann.submit(f"/tasks/{task.id}/cancellation", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["HX-Trigger"] == "live"
    assert answer.one("hx-partial[hx-target='#flashes']").text == ""
    assert "<html" not in answer.text


def test_a_stale_htmx_button_is_told_the_truth_where_it_was_pressed(ann):
    task = make_task(State.SUCCEEDED, ann.user, title="Count <down>")
    answer = ann.submit(f"/tasks/{task.id}/cancellation", headers={"HX-Request": "true"})
    assert "Count <down>: that no longer works" in answer.one("hx-partial[hx-target='#flashes']").text
    assert answer.headers["HX-Trigger"] == "live"


# Somebody else's


@pytest.mark.parametrize("state", State)
def test_somebody_elses_task_does_not_exist(ann, bob, state):
    task = make_task(state, bob.user)
    artifact = make_artifact(task)
    before = Task.select().dicts().get()
    for path in (f"/tasks/{task.id}", f"/tasks/{task.id}/_panel", f"/artifacts/{artifact.id}"):
        assert ann.get(path).status_code == 404
    for action in ACTIONS:
        assert ann.submit(f"/tasks/{task.id}/{action}").status_code == 404
    assert Task.select().dicts().get() == before
    for path in ("/", "/tasks", "/tasks/_list", "/live"):
        assert str(task.id) not in ann.get(path).text
    assert bob.get(f"/artifacts/{artifact.id}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/tasks/7", "/tasks/x", "/tasks/00000000-0000-4000-8000-000000000000", "/artifacts/7"]
)
def test_what_was_never_there_is_not_found(ann, path):
    assert ann.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/tasks", "/tasks/new", "/tasks/new/countdown", "/tasks/_list"])
def test_tasks_belong_to_somebody(visitor, path):
    assert visitor.get(path).location.startswith("/login?next=")


# What people read

WORDS = {
    State.PENDING: "Waiting",
    State.IN_PROGRESS: "Collecting your posts",
    State.CANCELING: "Stopping",
    State.CANCELED: "12 of 40",
    State.SUCCEEDED: "1 minute",
    State.FAILED: "The mail server refused the address.",
}


@pytest.mark.parametrize("state", State)
def test_every_page_says_the_same_about_a_task(ann, state):
    task = make_task(state, ann.user)
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        element = ann.get(path).one(f"#task-{task.id}")
        assert element["data-state"] == state
        assert task.title in element.text
        assert WORDS[state] in " ".join(element.get_text(" ").split())


@pytest.mark.parametrize("state", State)
def test_the_bar_shows_how_far_it_is_and_never_more(ann, state):
    task = make_task(state, ann.user)
    page = ann.get(f"/tasks/{task.id}")
    bar = page.one(f"progress[id='task-{task.id}-progress']")
    if state is State.PENDING:
        assert bar["value"] == "0"
    else:
        assert (bar["max"], bar["value"]) == ("40", "40" if state is State.SUCCEEDED else "12")
    assert "100 %" not in page.one("article.task").text


def test_a_failed_task_is_never_full(ann):
    task = make_task(State.FAILED, ann.user, done=40, total=40, error="The mail could not be sent.")
    element = ann.get(f"/tasks/{task.id}").one("article.task")
    assert "100 %" not in element.text
    assert "Finished" not in element.text


def test_a_bar_of_unknown_length_has_no_value(ann):
    task = make_task(State.IN_PROGRESS, ann.user, done=12, total=None)
    page = ann.get(f"/tasks/{task.id}")
    assert not page.one("article.task progress").has_attr("value")
    assert "12 so far" in page.words


def test_the_timeline_is_on_the_tasks_page(ann):
    task = make_task(State.FAILED, ann.user)
    kinds = [line["data-kind"] for line in ann.get(f"/tasks/{task.id}").page.select("article.task li[data-kind]")]
    assert kinds == ["launched", "started", "failed"]


def test_what_a_task_made_is_linked_everywhere(ann):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "<b>.json")
    for path in ("/", "/tasks", f"/tasks/{artifact.task_id}"):
        link = ann.get(path).one(f'a[href="/artifacts/{artifact.id}"]')
        assert "<b>.json" in link.text


def test_a_title_is_text_and_never_markup(ann):
    task = make_task(State.IN_PROGRESS, ann.user, title="<script>alert(1)</script>", stage="<img src=x>")
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        element = ann.get(path).one(f"#task-{task.id}")
        assert "<script>alert(1)</script>" in element.text
        assert not element.select("script, img[src=x]")


def test_people_without_javascript_are_shown_news_too(ann):
    for state in State:
        task = make_task(state, ann.user)
        refresh = ann.get(f"/tasks/{task.id}").page.select('noscript meta[http-equiv="refresh"]')
        assert bool(refresh) == (state not in FINISHED)


def test_a_long_list_has_pages(ann):
    for _ in range(25):
        make_task(State.SUCCEEDED, ann.user)
    first = ann.get("/tasks")
    second = ann.get(first.one('a[rel="next"]')["href"])
    shown = [row["id"] for page in (first, second) for row in page.page.select("#task-list li[id^=task-]")]
    assert len(shown) == len(set(shown)) == 25
    assert not second.page.select('a[rel="next"]')
