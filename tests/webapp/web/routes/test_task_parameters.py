"""Every type of parameter through its form: typed, refused with nothing lost, run with, and filled in again."""

import io
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

import pytest

from tasks.engine import Choice, Hint, Label, Labels, Multiline, Placeholder, Secret, Upload
from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.models import Post, State, Task, User

PASSWORD = "s3cret-of-ann"


class Size(StrEnum):
    SMALL = "s"
    VERY_LARGE = "xl"


def posts_of(user: User):
    return Post.select(Post.id, Post.body).where(Post.user == user).order_by(Post.id.desc())


@pytest.fixture
def ran(declare):
    """What the function that takes everything was called with, by its name; it is in the catalogue."""
    calls = []

    @declare(title=lambda day, **_: f"On {day}")
    def everything(
        task,
        post: Annotated[int, Choice(posts_of, most=2)],
        key: Annotated[Secret, Label("API key")],
        day: date,
        at: time,
        moment: datetime,
        price: Annotated[Decimal, Placeholder("12.50")],
        size: Size,
        some: Annotated[list[Literal["a", "b", "c"]], Labels("One", "Two", "Three")],
        words: list[str],
        note: Annotated[str, Multiline(), Hint("Be kind.")] = "",
        count: int | None = None,
        share: float | None = None,
        perhaps: bool | None = None,
        which: Annotated[Literal["x", "y"] | None, Labels("X", "Y")] = None,
        name: str | None = None,
        deadline: datetime | None = None,
        file: Upload | None = None,
        spare_key: Secret | None = None,
        other: Annotated[int | None, Choice(posts_of)] = None,
    ):
        """Everything there is."""
        named = locals()
        calls.append({name: value for name, value in named.items() if name not in {"task", "calls"}})

    return calls


@pytest.fixture
def posts(ann):
    User.update(time_zone="Europe/Berlin").where(User.id == ann.user.id).execute()
    return [Post.create(user=ann.user, body=f"Post {number}") for number in range(3)]


@pytest.fixture
def sent(posts):
    """What is needed at least."""
    return {
        "post": str(posts[2].id),
        "key": PASSWORD,
        "day": "2026-11-30",
        "at": "09:30",
        "moment": "2027-06-01T12:00",
        "price": "12.50",
        "size": "xl",
        "some": ["a", "c"],
        "words": "one\r\n\r\n two ",
    }


LEFT_EMPTY = {
    name: "" for name in ("note", "count", "share", "perhaps", "which", "name", "deadline", "spare_key", "other")
}
NEEDED = {
    "key": Secret(PASSWORD),
    "day": date(2026, 11, 30),
    "at": time(9, 30),
    "moment": datetime(2027, 6, 1, 10, 0),  # noon in Berlin
    "price": Decimal("12.50"),
    "size": Size.VERY_LARGE,
    "some": ["a", "c"],
    "words": ["one", "two"],
}
FILLED = {
    "note": "two\r\nlines",
    "count": "7",
    "share": "0.5",
    "perhaps": "no",
    "which": "y",
    "name": "Ann",
    "deadline": ["2027-10-31T02:30", "after"],  # that hour comes twice
    "spare_key": "spare",
}


def test_a_task_runs_with_what_was_needed_and_none_of_the_rest(ann, ran, sent, posts, run_tasks):
    assert ann.submit("/tasks/new/everything", **sent, **LEFT_EMPTY).status_code == 303
    run_tasks()
    [got] = ran
    nothing = dict.fromkeys([*LEFT_EMPTY, "file"]) | {"note": ""}
    assert got == NEEDED | nothing | {"post": posts[2].id}
    assert Task.get().state == State.SUCCEEDED


def test_a_task_runs_with_everything_that_was_filled_in(ann, ran, sent, posts, run_tasks):
    file, other = (io.BytesIO(b"text"), "a.txt"), str(posts[0].id)
    assert ann.submit("/tasks/new/everything", **sent, **FILLED, file=file, other=other).status_code == 303
    run_tasks()
    [got] = ran
    assert (got.pop("file").name, got.pop("other"), got.pop("post")) == ("a.txt", posts[0].id, posts[2].id)
    assert got == NEEDED | {
        "note": "two\nlines",
        "count": 7,
        "share": 0.5,
        "perhaps": False,
        "which": "y",
        "name": "Ann",
        "deadline": datetime(2027, 10, 31, 1, 30),
        "spare_key": Secret("spare"),
    }


def test_an_empty_form_asks_for_each(ann, ran, posts):
    page = ann.get("/tasks/new/everything")
    assert page.one('label[for="key"]').text == "API key"
    assert (page.one("#key")["type"], page.one("#key").get("value")) == ("password", "")
    assert [page.one(f"#{name}")["type"] for name in ("day", "at", "moment")] == ["date", "time", "datetime-local"]
    assert page.one("#price")["placeholder"] == "12.50"
    assert (page.one("#note").name, page.one("#words").name) == ("textarea", "textarea")
    assert page.one("#note-hint").text == "Be kind."
    assert page.one("#words-hint").text == "One per line."
    assert page.one("#moment-hint").text == "Your time zone: Europe/Berlin."
    boxes = page.page.select("#some input[type=checkbox]")
    assert [(box["name"], box["value"], page.one(f'label[for="{box["id"]}"]').text) for box in boxes] == [
        ("some", "a", "One"),
        ("some", "b", "Two"),
        ("some", "c", "Three"),
    ]
    assert [option.text for option in page.page.select("#which option")] == ["Not specified", "X", "Y"]
    assert [option.text for option in page.page.select("#perhaps option")] == ["Not specified", "Yes", "No"]
    assert [option.text for option in page.page.select("#size option")] == ["Small", "Very large"]
    assert [option.text for option in page.page.select("#post option")] == ["Choose one", "Post 2", "Post 1"]
    assert page.one("#post-hint").text == "Only the first 2 are offered."


WRONG = {
    "post": ("", "Choose one."),
    "key": ("", "This field is required."),
    "day": ("30.11.2026", "Enter a date, like 2026-11-30."),
    "at": ("half past nine", "Enter a time, like 09:30."),
    "moment": ("2027-10-31T02:30", "comes twice"),
    "price": ("12,50", "Enter a number, like 12.50."),
    "size": ("m", "Choose Small or Very large."),
    "some": (["d"], "Choose One, Two or Three."),
    "words": ("\r\n \r\n", "Enter at least one."),
    "note": ("x" * 100_001, "at most 100,000"),
    "count": ("many", "Enter a whole number."),
    "share": ("half", "Enter a number."),
    "perhaps": ("maybe", "Choose Yes or No."),
    "which": ("z", "Choose X or Y."),
    "name": ("x" * 10_001, "at most 10,000"),
    "deadline": ("soon", "Enter a date and time."),
    "other": ("mine", "valid choice"),
}


def test_everything_wrong_is_told_at_its_field_and_nothing_typed_is_lost(ann, ran, sent):
    answer = ann.submit("/tasks/new/everything", **{name: wrong for name, (wrong, _) in WRONG.items()})
    assert answer.status_code == 422
    for name, (wrong, words) in WRONG.items():
        assert words in answer.one(f"#{name}-error").text, name
        field = answer.one(f"#{name}")
        if field.name == "textarea":
            assert field.text.strip() == wrong.strip()
        elif field.name == "input" and name != "key":
            assert field["value"] == wrong
    assert [option["value"] for option in answer.page.select("#moment-which option")] == ["before", "after"]
    assert not Task.select().exists()


def test_what_was_right_stays_while_something_else_is_wrong_but_for_secrets(ann, ran, sent):
    answer = ann.submit("/tasks/new/everything", **sent | FILLED | {"count": "many"})
    assert answer.status_code == 422
    assert [error["id"] for error in answer.page.select("p.error")] == ["count-error"]
    for name in ("day", "at", "moment", "price", "share", "name"):
        assert answer.one(f"#{name}")["value"] == (sent | FILLED)[name]
    for name in ("post", "size"):
        assert answer.one(f"#{name} option[selected]")["value"] == sent[name]
    for name in ("perhaps", "which"):
        assert answer.one(f"#{name} option[selected]")["value"] == FILLED[name]
    assert [box["value"] for box in answer.page.select("#some input[checked]")] == ["a", "c"]
    assert answer.one("#deadline-which option[selected]")["value"] == "after"
    assert PASSWORD not in answer.get_data(as_text=True)
    assert "spare" not in answer.one("#spare_key").get("value", "")
    assert answer.one("#key-hint").text == answer.one("#spare_key-hint").text == "Please enter it again."


def test_a_form_that_is_filled_in_again_has_everything_but_secrets_and_files(ann, ran, sent, posts, run_tasks):
    ann.submit("/tasks/new/everything", **sent, **FILLED, other=str(posts[0].id), file=(io.BytesIO(b"text"), "a.txt"))
    run_tasks()
    page = ann.get(f"/tasks/new/everything?like={Task.get().id}")
    values = {
        name: page.one(f"#{name}")["value"] for name in ("day", "at", "moment", "price", "count", "share", "name")
    }
    assert values == {name: (sent | FILLED)[name] for name in values}
    assert (page.one("#words").text.strip(), page.one("#note").text.strip()) == ("one\ntwo", "two\nlines")
    chosen = {name: page.one(f"#{name} option[selected]")["value"] for name in ("size", "perhaps", "which", "other")}
    assert chosen == {"size": "xl", "perhaps": "no", "which": "y", "other": str(posts[0].id)}
    assert page.one("#deadline")["value"] == "2027-10-31T02:30"
    assert page.one("#deadline-which option[selected]")["value"] == "after"
    assert [box["value"] for box in page.page.select("#some input[checked]")] == ["a", "c"]
    assert PASSWORD not in page.get_data(as_text=True)
    assert page.one("#key").get("value", "") == page.one("#spare_key").get("value", "") == ""
    assert "Please choose it again." in page.one("#file-hint").text


# One's own things


def test_what_is_somebody_elses_is_no_choice(ann, ran, sent):
    theirs = Post.create(user=make_user("bob"), body="Bob's")
    answer = ann.submit("/tasks/new/everything", **sent | {"post": str(theirs.id)})
    assert (answer.status_code, Task.select().count()) == (422, 0)
    assert "That isn’t a valid choice." in answer.one("#post-error").text
    assert "Bob's" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("number", ["0", "-1", "9" * 18, "9" * 19, "9" * 400, "9" * 5000, "1 OR 1=1"])
def test_what_is_nobodys_is_no_choice(ann, ran, sent, number):
    answer = ann.submit("/tasks/new/everything", **sent | {"post": number})
    assert (answer.status_code, Task.select().count()) == (422, 0)
    assert "That isn’t a valid choice." in answer.one("#post-error").text


@pytest.mark.parametrize(("zone", "moment"), [("America/New_York", datetime.min), ("Asia/Tokyo", datetime.max)])
def test_a_moment_that_no_clock_of_its_owner_can_show_is_entered_anew(ann, ran, sent, zone, moment):
    ann.submit("/tasks/new/everything", **sent)
    task = Task.get()
    Task.update(arguments=task.arguments | {"moment": f"{moment.isoformat()}Z"}).execute()
    User.update(time_zone=zone).execute()
    page = ann.get(f"/tasks/new/everything?like={task.id}")
    assert (page.status_code, page.one("#moment")["value"], page.one("#day")["value"]) == (200, "", sent["day"])


def test_what_was_offered_a_moment_ago_and_is_gone_is_no_choice(ann, ran, sent, posts):
    posts[2].delete_instance()
    answer = ann.submit("/tasks/new/everything", **sent)
    assert (answer.status_code, Task.select().count()) == (422, 0)
    assert "valid choice" in answer.one("#post-error").text
    assert answer.one("#day")["value"] == sent["day"]


def test_what_goes_between_the_check_and_the_start_is_told_at_the_field(ann, ran, sent, posts, monkeypatch):
    found = Choice.find
    first = []

    def find(self, owner, value):
        option = found(self, owner, value)
        first.append(option)
        if len(first) == 1:
            posts[2].delete_instance()
        return option

    monkeypatch.setattr(Choice, "find", find)
    answer = ann.submit("/tasks/new/everything", **sent)
    assert (answer.status_code, Task.select().count()) == (422, 0)
    assert "valid choice" in answer.one("#post-error").text


def test_what_is_beyond_those_offered_can_be_chosen_and_stays_chosen(ann, ran, sent, posts):
    oldest = str(posts[0].id)
    answer = ann.submit("/tasks/new/everything", **sent | {"post": oldest, "count": "many"})
    assert answer.one("#post option[selected]")["value"] == oldest
    assert ann.submit("/tasks/new/everything", **sent | {"post": oldest}).status_code == 303
    assert Task.get().arguments["post"] == posts[0].id


def test_offering_and_checking_costs_the_same_however_many_there_are(ann, ran, sent, queries):
    with queries() as few:
        ann.get("/tasks/new/everything")
    Post.insert_many([{"user": ann.user, "body": "x"} for _ in range(500)]).execute()
    with queries() as many:
        page = ann.get("/tasks/new/everything")
    assert few.count == many.count
    assert len(page.page.select("#other option")) == 201


# Secrets on the way


def test_a_form_that_is_recovered_does_not_show_a_secret(app, ann, ran, sent):
    stranger = browse(app)
    answer = stranger.post("/tasks/new/everything", data=sent)
    assert answer.status_code >= 400
    assert PASSWORD not in answer.get_data(as_text=True)
    assert answer.one('input[name="key"]')["type"] == "password"
    assert answer.one('input[name="day"]')["value"] == sent["day"]
