"""The catalogue, the forms that signatures make, and starting a task: now, later, and one at a time."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import pytest

from tasks.catalogue import CATALOGUE
from tasks.engine import Labels, Range
from tasks.queue import huey
from tests.browsing import browse
from webapp import forms
from webapp.models import State, Task, User
from webapp.times import utcnow


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
    for function in [function for function in CATALOGUE.values() if function.listed]:
        link = page.one(f'main a[href="/tasks/new/{function.name}"]')
        assert function.label in link.text
        assert function.description.split(".")[0] in link.text


def test_the_form_of_a_task_comes_from_its_signature(ann, every_kind):
    page = ann.get("/tasks/new/every_kind")
    assert {field["name"] for field in page.page.select("main [name]")} == {
        "csrf_token", "form_key", "name", "size", "copies", "share", "loud", "run_at",
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


# Later

BERLIN_NOON = "2027-06-01T12:00"  # two hours before noon in UTC
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture
def in_november(ann, monkeypatch):
    """A site where it is 21 November 2026, half past nine in UTC, and Ann lives in Berlin."""
    monkeypatch.setattr(forms, "utcnow", lambda: NOW.replace(tzinfo=None))
    User.update(time_zone="Europe/Berlin").where(User.id == ann.user.id).execute()


@pytest.mark.parametrize(
    ("typed", "starts"),
    [
        (BERLIN_NOON, datetime(2027, 6, 1, 10, 0)),
        ("2027-01-31T12:00:07", datetime(2027, 1, 31, 11, 0, 7)),
        ("2026-11-21T10:30:01", datetime(2026, 11, 21, 9, 30, 1)),
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, 30)),  # no clock in Berlin shows this: an hour is left out
    ],
)
@pytest.mark.usefixtures("in_november")
def test_a_task_starts_when_the_clock_on_its_persons_wall_says_so(ann, typed, starts):
    answer = ann.submit("/tasks/new/countdown", seconds="5", run_at=typed)
    [task] = Task.select()
    assert (task.state, task.run_at, task.arguments) == (State.SCHEDULED, starts, {"seconds": 5})
    assert huey.storage.queue_size() == 0
    page = ann.get(answer.location)
    assert "Count down from 5: scheduled." in page.words
    assert page.one("article .words time")["datetime"] == f"{starts.isoformat()}Z"
    assert starts.replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M:%S") in page.words


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_task_without_a_time_starts_now(ann, typed):
    ann.submit("/tasks/new/countdown", seconds="5", run_at=typed)
    assert Task.get().state == State.PENDING


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2026-11-21T10:29:59", "passed already"),  # a second ago, in Berlin
        ("2026-11-21T09:30", "passed already"),
        ("0001-01-01T00:00", "passed already"),
        ("2027-11-23T10:30", "a year ahead"),
        ("9999-12-31T23:59:59", "a year ahead"),
        ("tomorrow", "date and a time"),
        ("2027-06-01", "date and a time"),
        ("2027-02-30T12:00", "date and a time"),
        ("2027-06-01T12:00+02:00", "date and a time"),
        ("' OR 1=1", "date and a time"),
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"])
@pytest.mark.usefixtures("in_november")
def test_a_wrong_time_is_told_at_the_field_and_starts_nothing(ann, zone, typed, words):
    if zone != "Europe/Berlin" and typed.startswith("2026"):
        typed = "2026-11-19T00:00"
    User.update(time_zone=zone).execute()
    answer = ann.submit("/tasks/new/countdown", seconds="42", run_at=typed)
    assert answer.status_code == 422
    assert words in answer.one("#run_at-error").text
    field = answer.one("#run_at")
    assert (field["aria-invalid"], field["value"]) == ("true", typed)
    assert answer.one("details").has_attr("open")
    assert answer.one("#seconds")["value"] == "42"
    assert not Task.select().exists()


def test_a_right_time_is_kept_while_something_else_is_wrong(ann):
    tomorrow = f"{utcnow() + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    answer = ann.submit("/tasks/new/countdown", seconds="0", run_at=tomorrow)
    assert answer.status_code == 422
    assert answer.one("#run_at")["value"] == tomorrow
    assert answer.one("details").has_attr("open")


def test_the_time_of_a_task_is_out_of_the_way_until_it_is_wanted(ann):
    page = ann.get("/tasks/new/countdown")
    assert not page.one("details").has_attr("open")
    field = page.one("details #run_at")
    assert (field["type"], field["step"]) == ("datetime-local", "1")
    assert "UTC" in page.one(f"#{field['aria-describedby']}").text
