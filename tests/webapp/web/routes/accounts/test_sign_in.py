"""Signing in and out, and where that leads."""

import re

import pytest

from tests.browsing import Browser, browse
from tests.processes import free_port
from webapp.dev.factories import PASSWORD, make_task, make_user
from webapp.models import User

NEW = {"username": "ann", "password": "a good password"}


def _is_signed_in(browser) -> bool:
    return browser.get("/tasks").status_code == 200


def test_a_person_signs_in_in_whatever_case(app):
    make_user("Ann")
    for username in ("Ann", "ann", " ANN "):
        browser = browse(app)
        answer = browser.submit("/login", username=username, password=PASSWORD)
        assert (answer.status_code, answer.location) == (303, "/")
        assert _is_signed_in(browser)


def test_a_wrong_password_and_an_unknown_name_are_told_in_the_same_words(visitor):
    make_user("ann")
    make_user("guest", guest=True)
    told = set()
    for username, password in (("ann", "wrong"), ("nobody", PASSWORD), ("guest", ""), ("guest", "wrong")):
        answer = visitor.submit("/login", username=username, password=password or " ")
        assert answer.status_code == 422
        assert answer.one("#username")["value"] == username
        told.add(answer.one("#password-error").text)
    assert len(told) == 1
    assert not _is_signed_in(visitor)


@pytest.mark.parametrize("password", ["wrong", "ｗｒｏｎｇ", "w" * 201])
def test_a_wrong_password_costs_the_same_whether_there_is_such_an_account(visitor, password, monkeypatch):
    make_user("ann")
    make_user("guest", guest=True)
    visitor.submit("/login", username="nobody", password=password)  # makes a hash to compare with, once
    hashed = []
    monkeypatch.setattr("webapp.models.passwords.check_password_hash", lambda *_: bool(hashed.append(1)))
    costs = set()
    for username in ("ann", "nobody", "guest"):
        hashed.clear()
        visitor.submit("/login", username=username, password=password)
        costs.add(len(hashed))
    assert len(costs) == 1


def test_a_far_too_long_name_or_password_is_not_processed(visitor, monkeypatch):
    lengths = []
    monkeypatch.setattr("webapp.lib.normalization.stream_safe", lambda text: lengths.append(len(text)) or text)
    for field in NEW:
        for path in ("/login", "/register"):
            # One such character becomes eighteen when it is made compatible.
            assert visitor.submit(path, **NEW | {field: "\ufdfa" * 100_000}).status_code == 422
    assert max(lengths) <= 200


def test_after_ten_wrong_passwords_even_the_right_one_must_wait(app):
    make_user("ann")
    make_user("bob")
    guesser = browse(app)
    answers = [guesser.submit("/login", username="ann", password=f"guess {n}").status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    refused = guesser.submit("/login", username=" ANN ", password=PASSWORD)
    assert refused.status_code == 429
    assert "Too many attempts" in refused.words
    assert re.search(r"Wait (1 minute|[0-9]+ seconds), then try again", refused.words)
    assert guesser.submit("/login", username="bob", password=PASSWORD).status_code == 303, "another name, another count"


def test_people_sign_in_and_guesses_are_counted_while_redis_is_away(make_app):
    app = make_app(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    make_user("ann")
    assert browse(app).submit("/login", username="ann", password=PASSWORD).status_code == 303
    guesser = browse(app)
    answers = [guesser.submit("/login", username="ann", password="guess").status_code for _ in range(11)]
    assert answers[0] == 422
    assert answers[-1] == 429


def test_guesses_are_counted_together_by_all_processes(make_app):
    one_process = make_app()
    make_user("ann")
    first = browse(one_process)
    for _ in range(10):
        first.submit("/login", username="ann", password="guess")
    second = browse(make_app())
    assert second.submit("/login", username="ann", password="guess").status_code == 429


def test_right_passwords_are_not_counted(app):
    make_user("ann")
    for _ in range(12):
        assert browse(app).submit("/login", username="ann", password=PASSWORD).status_code == 303


def test_making_accounts_without_end_is_refused(visitor):
    answers = [visitor.submit("/guest").status_code for _ in range(61)]
    assert answers[-1] == 429
    assert set(answers[:-1]) == {303}


def test_signing_out_ends_the_session(ann):
    answer = ann.submit("/logout")
    assert (answer.status_code, answer.location) == (303, "/")
    assert not _is_signed_in(ann)
    assert "signed out" in ann.get("/").words


@pytest.fixture
def guest(visitor) -> Browser:
    """The browser of a guest."""
    visitor.submit("/guest")
    visitor.user = User.get()
    return visitor


def test_a_guest_is_told_on_every_page_and_led_to_where_the_account_is_kept(guest, ann):
    task = make_task(user=guest.user)
    for path in ("/", "/tasks", f"/tasks/{task.id}", "/messages", "/mail", "/notifications", "/settings"):
        assert guest.get(path).one("#guest a")["href"] == "/settings#keep", path
    assert not ann.get("/").page.select("#guest")
    assert guest.get("/settings").one("form#keep #password")
    guest.submit("/settings/password", password=PASSWORD)
    assert not guest.get("/").page.select("#guest")
    assert guest.submit("/logout").status_code == 303, "who has a password is asked nothing"


def test_a_guest_is_asked_before_signing_out_loses_the_account(guest):
    answer = guest.submit("/logout", headers={"Referer": "http://localhost/tasks?q=x"})
    assert answer.status_code == 422
    assert "you’ll lose this account" in answer.one(".narrow [role=alert]").text
    assert guest.user.username in answer.one(".narrow [role=alert]").text
    form = answer.one("form[action='/logout'].choices")
    assert [link["href"] for link in form.select("a")] == ["/settings#keep", "/tasks?q=x"]
    assert guest.get("/logout").location == "/", "whoever goes back to it stays"
    assert _is_signed_in(guest)
    button = form.select_one("button")
    answer = guest.submit("/logout", **{button["name"]: button["value"]})
    assert (answer.status_code, answer.location) == (303, "/")
    assert not _is_signed_in(guest)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/login", {"username": "ben", "password": PASSWORD}),
        ("/register", {"username": "zoe", "password": PASSWORD, "email": ""}),
    ],
)
def test_a_guest_is_asked_before_a_form_that_was_open_elsewhere_signs_in_to_another_account(guest, path, fields):
    make_user("ben")
    number = User.select().count()
    answer = guest.submit(path, **fields)
    assert answer.status_code == 422
    assert guest.user.username in answer.one("form [role=alert]").text
    assert answer.one("#username")["value"] == fields["username"], "only the password has to be typed again"
    assert (guest.user.username in guest.get("/").one("header").text, User.select().count()) == (True, number)
    again = {"leave": answer.one("input[name=leave]")["value"]}
    wrong = guest.submit(path, **fields | again | {"password": "short"})
    assert (wrong.status_code, len(wrong.page.select("input[name=leave]"))) == (422, 1), "and is asked once"
    assert guest.submit(path, **fields | again).status_code == 303
    assert fields["username"] in guest.get("/").one("header").text


def test_signing_in_leaves_nothing_of_the_session_before(app):
    browser = browse(app, make_user("bob"))
    make_user("ann")
    token = browser.token()
    browser.submit("/login", username="ann", password=PASSWORD)
    assert browser.post("/logout", data={"csrf_token": token}).status_code == 400
    assert "ann" in browser.get("/").one("header").text


def test_who_is_signed_in_needs_no_sign_in_page(ann):
    assert ann.get("/login").location == ann.get("/register").location == "/"


# Where to, afterwards

OUTSIDE = [
    "https://evil.example",
    "http://evil.example/tasks",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "data:text/html,hello",
    "evil.example",
    "@evil.example",
    "",
    " /tasks",
    "/\r\nSet-Cookie: a=b",
]


@pytest.mark.parametrize("url", OUTSIDE)
@pytest.mark.parametrize("path", ["/login", "/register", "/guest"])
def test_next_never_leads_out_of_the_site(visitor, path, url):
    make_user("bob")
    name = "bob" if path == "/login" else "ann"
    answer = visitor.post(
        path, query_string={"next": url}, data={"csrf_token": visitor.token(), "username": name, "password": PASSWORD}
    )
    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.parametrize("url", ["/tasks", "/people/ann?before=x", "/tasks/new/countdown"])
def test_next_leads_back_to_where_one_was(visitor, url):
    make_user("ann")
    answer = visitor.post(
        "/login",
        query_string={"next": url},
        data={"csrf_token": visitor.token(), "username": "ann", "password": PASSWORD},
    )
    assert answer.location == url


def test_a_page_that_is_somebodys_asks_to_sign_in_and_leads_back(visitor):
    answer = visitor.get("/tasks?before=x")
    assert (answer.status_code, answer.location) == (303, "/login?next=/tasks?before%3Dx")
