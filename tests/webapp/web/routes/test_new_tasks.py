"""The catalogue, the forms that signatures make, and starting a task: now, later, and one at a time."""

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import pytest
from annotated_types import Ge, Interval, MaxLen

from tasks.catalogue import CATALOGUE
from tasks.engine import Labels
from tasks.engine.models.kind_control import KindControl
from tasks.queue import huey
from tests.browsing import browse
from webapp.lib.times import utcnow
from webapp.models import State, Task, User
from webapp.web.forms import start_time


@pytest.fixture
def every_kind(declare):
    """A task function with a parameter of each kind, in the catalogue."""

    @declare(title="Every kind")
    def every_kind(
        task,
        name: str,
        size: Annotated[Literal["small", "large"], Labels("Small", "Large")] = "small",
        copies: Annotated[int, Interval(ge=1, le=9)] = 2,
        share: float = 0.5,
        loud: bool = False,
    ):
        """One field of each kind."""

    return every_kind


# What operators hold


def test_the_form_of_a_paused_kind_says_so_with_the_reason_before_a_press(ann, queries):
    def cost(path: str) -> int:
        with queries() as seen:
            ann.get(path)
        return seen.count

    before = {path: cost(path) for path in ("/tasks/new", "/tasks/new/countdown")}
    assert not ann.get("/tasks/new/countdown").page.select("#held")
    KindControl.pause("countdown", utcnow() + timedelta(days=2), "A new disk")
    words = ann.get("/tasks/new/countdown").one("#held").text
    assert re.search(r"All of these are paused until .+, \d\d:\d\d\. A new disk\. Yours will wait until then\.", words)
    assert words.strip() in ann.get("/tasks/new").one("a[href='/tasks/new/countdown'] .held").text
    assert not ann.get("/tasks/new").page.select("a[href='/tasks/new/count_words'] .held")
    assert words in ann.submit("/tasks/new/countdown", seconds="x").one("#held").text, "also where a field is wrong"
    assert {path: cost(path) for path in before} == before
    KindControl.resume("countdown")
    assert not ann.get("/tasks/new/countdown").page.select("#held")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"running": 5}, "At most 5 of these run at once. Yours may have to wait."),
        (
            {"running": 1, "per_person": 1},
            "At most 1 of these runs at once, 1 of each person’s. Yours may have to wait.",
        ),
        ({"per_person": 2}, "At most 2 of each person’s run at once. Yours may have to wait."),
        ({"per_second": 4}, "At most 4 start a second. Yours may have to wait."),
        ({"per_second": 0.1}, "At most one starts every 10 seconds. Yours may have to wait."),
        ({"running": 5, "per_second": 1}, "At most 5 of these run at once, one starts every 1 second."),
    ],
)
def test_the_form_of_a_limited_kind_says_so(ann, limits, words):
    KindControl.limit("countdown", **limits)
    assert words in ann.get("/tasks/new/countdown").one("#held").text


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


def test_a_form_tells_browsers_of_one_end_and_never_has_them_cut_a_text(ann, declare):
    @declare(title="Bounded")
    def bounded(task, year: Annotated[int, Ge(1900)] = 2000, note: Annotated[str, MaxLen(5)] = ""):
        """A number with a beginning, a text with an end."""

    page = ann.get("/tasks/new/bounded")
    assert (page.one("#year")["min"], page.one("#year").get("max")) == ("1900", None)
    assert {"minlength", "maxlength", "min", "max"}.isdisjoint(page.one("#note").attrs)
    answer = ann.submit("/tasks/new/bounded", year="1899", note="Six or more")
    assert answer.status_code == 422
    assert "Enter a number of at least 1,900." in answer.words
    assert "That has 11 characters; it may have at most 5." in answer.words
    assert answer.one("#note")["value"] == "Six or more"
    assert not Task.select().exists()


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
        ("size", "huge", "Choose Small or Large"),
        ("size", "", "Choose Small or Large"),
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
    assert "hasn’t finished yet" in ann.get(answer.location).words
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
    monkeypatch.setattr(start_time, "utcnow", lambda: NOW.replace(tzinfo=None))
    User.update(time_zone="Europe/Berlin").where(User.id == ann.user.id).execute()


@pytest.mark.parametrize(
    ("typed", "starts"),
    [
        (BERLIN_NOON, datetime(2027, 6, 1, 10, 0)),
        ("2027-01-31T12:00:07", datetime(2027, 1, 31, 11, 0, 7)),
        ("2026-11-21T10:30:01", datetime(2026, 11, 21, 9, 30, 1)),
        (["2027-10-31T02:30", "before"], datetime(2027, 10, 31, 0, 30)),  # that hour comes twice
        (["2027-10-31T02:30", "after"], datetime(2027, 10, 31, 1, 30)),
        (["2027-10-31T03:00", "after"], datetime(2027, 10, 31, 2, 0)),  # this one does not
    ],
)
@pytest.mark.usefixtures("in_november")
def test_a_task_starts_when_the_clock_on_its_persons_wall_says_so(ann, typed, starts):
    answer = ann.submit("/tasks/new/countdown", seconds="5", run_at=typed)
    [task] = Task.select()
    assert (task.state, task.run_at, task.arguments) == (State.SCHEDULED, starts, {"seconds": 5})
    assert huey.storage.queue_size() == 0
    page = ann.get(answer.location)
    assert "Scheduled “Count down from 5”." in page.words
    assert page.one("article .words time")["datetime"] == f"{starts.isoformat()}Z"
    there = starts.replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{there:%H:%M:%S}".removesuffix(":00") in page.words


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_task_without_a_time_starts_now(ann, typed):
    ann.submit("/tasks/new/countdown", seconds="5", run_at=typed)
    assert Task.get().state == State.PENDING


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2026-11-21T10:29:59", "in the future"),  # a second ago, in Berlin
        ("2026-11-21T09:30", "in the future"),
        ("0001-01-01T00:00", "in the future"),
        ("2027-11-23T10:30", "within the next year"),
        ("9999-12-31T23:59:59", "within the next year"),
        ("tomorrow", "date and time"),
        ("2027-06-01", "date and time"),
        ("2027-02-30T12:00", "date and time"),
        ("2027-06-01T12:00+02:00", "date and time"),
        ("' OR 1=1", "date and time"),
        ("2027-06-01T12:00\x07", "date and time"),
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


@pytest.mark.parametrize(
    ("zone", "typed", "words"),
    [
        ("Europe/Berlin", "2027-03-28T02:30", "past 02:30. Choose another time, such as 03:30."),
        ("Europe/Berlin", "2027-03-28T02:00:00", "past 02:00"),
        ("Australia/Lord_Howe", "2027-10-03T02:15", "past 02:15. Choose another time, such as 02:45."),
        ("America/Havana", "2027-03-14T00:00", "past 00:00"),
        ("Europe/Berlin", "2027-10-31T02:30", "02:30 comes twice. Choose which one you mean."),
        ("America/New_York", "2027-11-07T01:00", "01:00 comes twice. Choose which one you mean."),
    ],
)
@pytest.mark.usefixtures("in_november")
def test_a_time_that_no_clock_shows_or_that_it_shows_twice_is_told_and_starts_nothing(ann, zone, typed, words):
    User.update(time_zone=zone).execute()
    answer = ann.submit("/tasks/new/countdown", seconds="42", run_at=typed)
    assert (answer.status_code, Task.select().count()) == (422, 0)
    assert words in answer.one("#run_at-error").text
    assert bool(answer.page.select("#run_at-which")) == ("twice" in words)


@pytest.mark.usefixtures("in_november")
def test_which_of_two_equal_times_is_meant_is_asked_in_words_and_kept(ann):
    ask = ann.submit("/tasks/new/countdown", seconds="42", run_at="2027-10-31T02:30")
    assert [option.text for option in ask.page.select("#run_at-which option")] == [
        "02:30, before the clocks go back (UTC+2)",
        "02:30, after the clocks go back (UTC+1)",
    ]
    assert ask.one("label[for='run_at-which']").text == "Which one"
    wrong = ann.submit("/tasks/new/countdown", seconds="no", run_at=["2027-10-31T02:30", "after"])
    assert wrong.one("#run_at-which option[selected]")["value"] == "after"
    done = ann.submit("/tasks/new/countdown", seconds="42", run_at=["2027-10-31T02:30", "after"])
    assert "Starts on 31 October 2027, 02:30 (UTC+1)" in ann.get(done.location).words


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
    assert (field["type"], field["step"]) == ("datetime-local", "60")
    assert "UTC" in page.one(f"#{field['aria-describedby']}").text
