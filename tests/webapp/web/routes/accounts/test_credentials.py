"""Usernames and passwords, however they are typed."""

import pytest
from werkzeug.security import generate_password_hash

from tests.browsing import browse
from webapp.dev.factories import PASSWORD, make_user
from webapp.models import User

NEW = {"username": "ann", "password": "a good password"}


@pytest.mark.parametrize("username", ["ann.", "a-n-n", "A_nn", "ann--"])
def test_a_name_that_looks_like_anothers_is_refused(visitor, username):
    make_user("ann")
    answer = visitor.submit("/register", **NEW | {"username": username})
    assert answer.status_code == 422
    assert "too similar to" in answer.one("#username-error").text
    assert User.select().count() == 1


@pytest.mark.parametrize("username", ["admin", "Support", "ROOT", "no-reply", "mailer-daemon", "Errand", "ａdmin"])
def test_a_name_that_speaks_for_the_site_is_refused(visitor, username):
    answer = visitor.submit("/register", **NEW | {"username": username})
    assert answer.status_code == 422
    assert "reserved" in answer.one("#username-error").text
    assert not User.select().exists()


@pytest.mark.parametrize("username", ["pulse.co", "PULSECO"])
def test_a_name_like_the_sites_own_is_refused(make_app, username):
    answer = browse(make_app(app_name="Pulse & Co")).submit("/register", **NEW | {"username": username})
    assert answer.status_code == 422
    assert "reserved" in answer.one("#username-error").text


def test_a_name_typed_in_full_width_is_the_plain_one(visitor, app):
    assert visitor.submit("/register", **NEW | {"username": "Ａｎｎ２"}).status_code == 303
    assert User.get().username == "Ann2"
    assert browse(app).submit("/login", **NEW | {"username": "ａｎｎ２"}).status_code == 303
    assert browse(app).get("/people/Ann2").status_code == 200


@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        ("Zoë likes 12345", "Zoe\u0308 likes 12345"),
        ("４８３９２０５７１６４８", "483920571648"),
        ("ﬁrst come first", "first come first"),
    ],
)
def test_a_password_is_the_same_however_its_letters_are_encoded(visitor, app, registered, typed):
    visitor.submit("/register", username="ann", password=registered)
    for password in (registered, typed):
        assert browse(app).submit("/login", username="ann", password=password).status_code == 303
    assert browse(app).submit("/login", username="ann", password=typed.upper() + "!").status_code == 422


def test_a_password_of_before_is_still_right(app):
    user = make_user("ann")
    User.update(password_hash=generate_password_hash("１２３４５６７８")).where(User.id == user.id).execute()
    assert browse(app).submit("/login", username="ann", password="１２３４５６７８").status_code == 303


@pytest.mark.parametrize(
    "password", [" " * 12, "\u3164" * 12, "\u2800" * 13, "ann-the-first", "ANN-the-first", "ａnn-the-first"]
)
def test_a_password_that_is_blank_or_the_name_is_refused(visitor, password):
    answer = visitor.submit("/register", username="ann-the-first", password=password)
    assert answer.status_code == 422
    assert answer.one("#password-error").text
    assert not User.select().exists()


@pytest.mark.parametrize("password", ["\u3164" * 12, "person-of-old", PASSWORD])
def test_nor_can_one_be_set_later(app, password):
    user = make_user("person-of-old")
    answer = browse(app, user).submit("/settings/password", current=PASSWORD, password=password)
    assert answer.status_code == 422
    assert User.get_by_id(user.id).has_password(PASSWORD)


BLANKS = [
    "\u3164",
    "\u2800",
    "\u115f\u1160",
    "\u200b\u200d\ufeff",
    "\u00ad",
    "\u034f",
    "\ufe0f",
    "\u3000 \u00a0",
    "\U000e0020",
]


@pytest.mark.parametrize("text", BLANKS)
def test_a_text_of_invisible_characters_is_blank(app, text):
    ann = browse(app, make_user("ann"))
    make_user("bob")
    for path, noun in (("/posts", "post"), ("/messages/bob", "message")):
        answer = ann.submit(path, body=text)
        assert answer.status_code == 422, path
        assert f"Write a {noun} first" in answer.words
    assert ann.submit("/settings/profile", email="", about=text, time_zone="UTC", mail_after="").status_code == 303
    assert User.by_username("ann").about == ""
    mail = {"recipients": "bea@example.com", "subject": "Hello", "template": "free", "body": "Hello"}
    for field in ("recipients", "subject", "body"):
        answer = ann.submit("/mail", **mail | {field: text})
        assert answer.status_code == 422, field
        assert answer.one(f"#{field}-error").text


@pytest.mark.parametrize("text", ["½", "한", "नमस्ते", "👩‍👩‍👧", ".", "\u200dا"])
def test_a_text_with_a_visible_character_is_accepted(app, text):
    assert browse(app, make_user("ann")).submit("/posts", body=text).status_code == 303
