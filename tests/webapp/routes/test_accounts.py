"""Registering, signing in and out, coming in as a guest."""

import re

import pytest
from werkzeug.security import generate_password_hash

from tests.browsing import Browser, browse
from tests.processes import free_port
from webapp.dev.factories import PASSWORD, make_task, make_user
from webapp.models import User

NEW = {"username": "ann", "password": "a good password"}


def _is_signed_in(browser) -> bool:
    return browser.get("/tasks").status_code == 200


# Registering


def test_who_registers_is_signed_in(visitor):
    answer = visitor.submit("/register", **NEW, email="ann@example.com")
    assert (answer.status_code, answer.location) == (303, "/")
    user = User.by_username("ann")
    assert (user.email, user.is_guest, user.has_password(NEW["password"])) == ("ann@example.com", False, True)
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
    answers = [guesser.submit("/register", username="ann", password=f"a guess {n}").status_code for n in range(11)]
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
        ("password", "short12", "8 to 200"),
        ("password", "x" * 201, "8 to 200"),
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


def test_what_is_asked_of_a_name_is_what_is_said_beside_it(visitor):
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


# Signing in and out


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


def test_what_is_far_too_long_for_a_name_or_a_password_is_not_read(visitor, monkeypatch):
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


# Guests


def test_a_guest_has_a_name_and_no_password(visitor):
    answer = visitor.submit("/guest")
    assert (answer.status_code, answer.location) == (303, "/")
    [user] = User.select()
    assert (user.is_guest, user.email) == (True, "")
    assert user.username in visitor.get("/").words
    assert _is_signed_in(visitor)


def test_a_guest_who_comes_again_stays_who_they_are(visitor):
    visitor.submit("/guest")
    visitor.submit("/guest")
    assert User.select().count() == 1


def test_nobody_can_sign_in_to_a_guests_account(visitor):
    user = make_user(guest=True)
    for password in ("", " ", user.password_hash or "x"):
        assert visitor.submit("/login", username=user.username, password=password).status_code == 422


def test_a_guest_who_sets_a_password_and_an_address_can_sign_in_from_anywhere(app):
    here = browse(app)
    here.submit("/guest")
    [user] = User.select()
    here.submit("/settings/profile", email="ann@example.com", about="", time_zone="UTC")
    assert here.submit("/settings/password", password="a new password").status_code == 303
    there = browse(app)
    assert there.submit("/login", username=user.username, password="a new password").status_code == 303
    assert there.get("/settings").one("#email")["value"] == "ann@example.com"
    assert _is_signed_in(here)


def test_a_site_may_allow_no_guests(make_app):
    visitor = browse(make_app(allow_guests=False))
    assert visitor.submit("/guest").status_code == 404
    assert not visitor.get("/").page.select('form[action="/guest"]')
    assert not User.select().exists()


def test_a_visitor_is_offered_to_come_as_a_guest(visitor):
    assert visitor.get("/").one('form[action="/guest"][method=post] button')


# Names and passwords, however they are typed


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
    [("Zoë 12345", "Zoe\u0308 12345"), ("１２３４５６７８", "12345678"), ("ﬁrst come", "first come")],
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
    "password", [" " * 8, "\u3164" * 8, "\u2800" * 9, "ann-the-first", "ANN-the-first", "ａnn-the-first"]
)
def test_a_password_that_is_blank_or_the_name_is_refused(visitor, password):
    answer = visitor.submit("/register", username="ann-the-first", password=password)
    assert answer.status_code == 422
    assert answer.one("#password-error").text
    assert not User.select().exists()


@pytest.mark.parametrize("password", ["\u3164" * 8, "person-of-old"])
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
def test_what_is_seen_as_nothing_is_nothing(app, text):
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
def test_what_can_be_seen_is_something(app, text):
    assert browse(app, make_user("ann")).submit("/posts", body=text).status_code == 303
