"""Registering."""

import pytest

from tests.browsing import browse
from webapp.dev.factories import PASSWORD, make_user
from webapp.models import EmailChange, User

NEW = {"username": "ann", "password": "a good password"}


def _is_signed_in(browser) -> bool:
    return browser.get("/tasks").status_code == 200


def test_who_registers_is_signed_in(visitor):
    answer = visitor.submit("/register", **NEW, email="ann@example.com")
    assert (answer.status_code, answer.location) == (303, "/")
    user = User.by_username("ann")
    assert (user.email, user.is_guest, user.has_password(NEW["password"])) == ("", False, True)
    assert EmailChange.pending_of(user).address == "ann@example.com"
    assert NEW["password"] not in user.password_hash
    assert "Welcome, ann" in visitor.get("/").words
    assert _is_signed_in(visitor)


def test_who_registers_once_more_since_the_answer_was_lost_is_signed_in(app):
    browse(app).submit("/register", **NEW)
    again = browse(app)
    assert again.submit("/register", **NEW).status_code == 303
    assert _is_signed_in(again)
    assert User.select().count() == 1


def test_registering_is_no_way_around_the_limit_on_guesses(app):
    make_user("ann")
    guesser = browse(app)
    answers = [
        guesser.submit("/register", username="ann", password=f"a wrong guess {n}").status_code for n in range(11)
    ]
    assert answers == [422] * 10 + [429]
    assert guesser.submit("/login", username="ann", password=PASSWORD).status_code == 429


@pytest.mark.parametrize("username", ["ann", "Ann", "ANN", " ann "])
def test_a_name_is_taken_in_whatever_case(visitor, username):
    make_user("Ann")
    answer = visitor.submit("/register", **NEW | {"username": username})
    assert answer.status_code == 422
    assert "That username is taken" in answer.words
    assert User.select().count() == 1
    assert not _is_signed_in(visitor)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("username", "", "Choose a username"),
        ("username", "a", "2 to 30"),
        ("username", "a" * 31, "2 to 30"),
        ("username", "_ann", "2 to 30"),
        ("username", "ann smith", "2 to 30"),
        ("username", "ann/../bob", "2 to 30"),
        ("username", "änn", "2 to 30"),
        ("password", "", "Choose a password"),
        ("password", "short123456", "12 to 128"),
        ("password", "x" * 129, "12 to 128"),
        ("email", "ann", "Enter a valid email address"),
        ("email", "ann@", "Enter a valid email address"),
        ("email", "änn@example.com", "Enter a valid email address"),
        ("email", "ａnn@example.com", "Enter a valid email address"),
        ("email", "ann@example.com\r\nBcc: eve@example.com", "Enter a valid email address"),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_nothing_is_lost(visitor, field, value, words):
    sent = NEW | {"email": "ann@example.com", field: value}
    answer = visitor.submit("/register", **sent)
    assert answer.status_code == 422
    assert words in answer.one(f"#{field}-error").text
    wrong = answer.one(f"#{field}")
    assert wrong["aria-invalid"] == "true"
    assert f"{field}-error" in wrong["aria-describedby"]
    for kept in {"username", "email"} - {field}:
        assert answer.one(f"#{kept}")["value"] == sent[kept]
    assert not User.select().exists()


def test_a_taken_name_is_told_together_with_what_else_is_wrong(visitor):
    make_user("ann")
    for username, words in (("Ann", "is taken"), ("ann_", "too similar to"), ("admin", "reserved")):
        answer = visitor.submit("/register", username=username, password="short", email="x")
        assert words in answer.one("#username-error").text
        assert answer.one("#password-error")
        assert answer.one("#email-error")


def test_the_hint_beside_the_username_says_its_rule(visitor):
    hint = visitor.get("/register").one("#username-hint").text
    assert visitor.submit("/register", **NEW | {"username": "_"}).one("#username-error").text in hint


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/tasks?state=failed", "Sign in to see your tasks."),
        ("/mail", "Sign in to see your emails."),
        ("/messages/bob", "Sign in to read your messages."),
        ("/settings", "Sign in to change your settings."),
        ("/notifications", "Sign in to see your notifications."),
    ],
)
def test_who_is_asked_to_sign_in_is_told_why_and_keeps_their_way_when_they_register(visitor, path, why):
    page = visitor.get(visitor.get(path).location)
    assert page.one(".lead").text == why
    wrong = visitor.submit("/login?next=" + path, username="ann", password="wrong")
    assert wrong.one(".lead").text == why
    register = wrong.one("p.aside a")["href"]
    assert visitor.submit(register, **NEW).location == path


@pytest.mark.parametrize(
    "path", ["", "/", "//evil.example/tasks", "https://evil.example/tasks", "/people/ann", "/tasksx"]
)
def test_who_comes_to_sign_in_by_themselves_is_told_nothing(visitor, path):
    assert not visitor.get("/login", query_string={"next": path}).page.select(".lead")


def test_a_password_never_comes_back_in_a_page(visitor):
    answer = visitor.submit("/register", **NEW | {"username": "!"})
    assert NEW["password"] not in answer.text
