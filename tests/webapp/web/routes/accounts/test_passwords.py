"""Choosing a password: how long, how common, whose; and what is stored of it."""

import pytest
from werkzeug.security import generate_password_hash

from tests.browsing import browse
from tests.taken_places import taken
from webapp.db.bulkhead import PLACES, SPARE_THREADS
from webapp.dev.factories import PASSWORD, make_user
from webapp.models import User, passwords, user_passwords
from webapp.models.passwords import hash_password, hashing_places, is_outdated

OUTDATED = "scrypt:512:8:1"  # half of what tests take

COMMON = ["password1234", "Password1234!", "qwertyuiop[]", "123456789012", "aaaaaaaaaaaa", "ｐａｓｓｗｏｒｄ１２３４"]
COMMON += ["Sunshine2026!", "!!welcome2026", "correcthorsebatterystaple", "ILOVEYOU123456"]
MONOTONOUS = ["annannannann", "battery battery", "Zoë Zoë Zoë ", "987654 987654", "ppooiiuuzztt", "1 1 1 1 1 1 2"]
OF_NAMES = [
    "zoe.miller-2026",
    "Zoe Miller 1!",
    "zoemillerzoemiller?",
    "miller-password",
    "zoe@quuxworks.org",
    "ERRAND zoe 77",
]
OF_NAMES += ["ｚｏｅ．ｍｉｌｌｅｒ２６", "Quuxworks/2026", "quuxworks.errand"]
GOOD = [
    "correct horse battery",
    "k8qx92mzh2fd",
    "483920571648",
    "zoe likes pears",
    "🦊 in a blue 🚲",
    "Straße am Fluß",
    "  two blanks  ",
]
GOOD += ["parrot\0parrots", "비밀번호는 모두 다르게", "x9" + "£🦊é7" * 31 + "12"]


def test_what_is_guessed_first_is_refused_and_the_field_says_what_to_do(visitor):
    fields = {"username": "zoe.miller", "email": "zm.post@quuxworks.org"}
    for refused, words in (
        (COMMON, "guessed first"),
        (MONOTONOUS, "repeats itself"),
        (OF_NAMES, "the name of this site"),
    ):
        for password in refused:
            answer = visitor.submit("/register", **fields, password=password)
            assert answer.status_code == 422, password
            assert words in answer.one("#password-error").text, password
            assert answer.one("#email")["value"] == fields["email"]
    assert not User.select().exists()


def test_any_other_password_is_kept_as_it_was_typed(app):
    for number, password in enumerate(GOOD):
        fields = {"username": f"person-{number}", "password": password}
        assert browse(app).submit("/register", **fields).status_code == 303, password
        assert browse(app).submit("/login", **fields).status_code == 303, password
        assert browse(app).submit("/login", **fields | {"password": password[:-1]}).status_code == 422, password


def test_bytes_that_are_no_text_are_a_wrong_password_and_no_error(visitor):
    make_user("ann")
    form = f"csrf_token={visitor.token()}&username=ann&password=".encode() + b"%ED%B3%BF%FF" * 4
    for path in ("/login", "/register"):
        answer = visitor.post(path, data=form, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 422, path


def test_the_name_of_the_site_is_tried_first_whatever_it_is(make_app):
    answer = browse(make_app(app_name="Pulse & Co")).submit("/register", username="ann", password="Pulse and Ann walk")
    assert answer.status_code == 303, "there is more to it"
    answer = browse(make_app(app_name="Pulse & Co")).submit("/register", username="bob", password="Bob's PULSE 2026")
    assert "the name of this site" in answer.one("#password-error").text


@pytest.mark.parametrize("password", ["e\u0301" * 3 + "abc12", "ﬃ1ab2", "a\u0300b\u0301c\u0302d\u0303e1f"])
def test_letters_count_and_not_their_encoding(visitor, password):
    answer = visitor.submit("/register", username="ann", password=password)
    assert answer.one("#password-error").text == "Use 12 to 128 characters."


def test_the_hint_says_the_rule_and_no_browser_cuts_off_what_is_pasted(visitor, ann):
    for page in (visitor.get("/register"), ann.get("/settings")):
        assert page.one("#password-hint").text.startswith("At least 12 characters")
        assert not page.one("#password").has_attr("maxlength")


def test_with_a_second_factor_eight_characters_are_enough_unless_they_are_common(app):
    user = make_user("ann", totp_secret="a secret")
    hers = browse(app, user)
    assert hers.get("/settings").one("#password-hint").text.startswith("At least 8 characters")
    for password in ("k8qx92m", "password", "iloveyou", "Letmein!", "12345678", "ann12345"):
        assert hers.submit("/settings/password", current=PASSWORD, password=password).status_code == 422, password
    assert hers.submit("/settings/password", current=PASSWORD, password="k8qx92mz").status_code == 303


@pytest.mark.parametrize("password", ["12345678", "x" * 200, "ann"])
def test_a_password_of_before_is_good_for_signing_in(app, password):
    make_user("ann", password_hash=hash_password(password))
    assert browse(app).submit("/login", username="ann", password=password).status_code == 303


# What is stored


@pytest.fixture
def old(app):
    """Ann, whose password was hashed at lower costs."""
    return make_user("ann", password_hash=generate_password_hash(PASSWORD, OUTDATED))


def test_signing_in_hashes_again_what_was_hashed_at_lower_costs_and_ends_no_session(app, old):
    elsewhere, wrong = browse(app, old), browse(app)
    assert wrong.submit("/login", username="ann", password="wrong").status_code == 422
    assert User.get().password_hash == old.password_hash
    assert browse(app).submit("/login", username="ann", password=PASSWORD).status_code == 303
    renewed = User.get()
    assert (is_outdated(renewed.password_hash), renewed.has_password(PASSWORD)) == (False, True)
    assert (renewed.session_key, elsewhere.get("/tasks").status_code) == (old.session_key, 200)
    assert browse(app).submit("/login", username="ann", password=PASSWORD).status_code == 303
    assert User.get().password_hash == renewed.password_hash, "once"


def test_a_password_that_is_changed_meanwhile_stays_changed(app, old, monkeypatch):
    def hash_slowly(password: str) -> str:
        User.update(password_hash="of another password").execute()
        return hash_password(password)

    monkeypatch.setattr(user_passwords, "hash_password", hash_slowly)
    User.authenticate("ann", PASSWORD)
    assert User.get().password_hash == "of another password"


def test_who_has_the_right_password_is_let_in_though_it_cannot_be_hashed_again_now(app, old, monkeypatch):
    def refuse(password: str) -> str:
        raise passwords.HashingBusy

    monkeypatch.setattr(user_passwords, "hash_password", refuse)
    assert browse(app).submit("/login", username="ann", password=PASSWORD).status_code == 303
    assert User.get().password_hash == old.password_hash


@pytest.mark.parametrize("method", ["scrypt:32768:8:1", "scrypt:1024:8:1", "scrypt:32768:8:3"])
def test_a_wrong_password_costs_the_same_whatever_the_hash_cost(app, costly_hashing, monkeypatch, method):
    spent = []

    def spend(method: str) -> None:
        n, r, p = (int(cost) for cost in method.partition("$")[0].split(":")[1:])
        spent.append(n * r * p)

    monkeypatch.setattr(passwords, "HASHING", costly_hashing)
    monkeypatch.setattr(passwords, "check_password_hash", lambda password_hash, _: spend(password_hash))
    monkeypatch.setattr(passwords, "generate_password_hash", lambda _, method: spend(method))
    make_user("ann", password_hash=f"{method}$salt$hash")
    assert User.authenticate("ann", "wrong") is None
    of_ann, spent[:] = sum(spent), []
    passwords.hash_of_no_password.cache_clear()
    assert User.authenticate("nobody", "wrong") is None
    assert of_ann == pytest.approx(sum(spent), rel=0.05)


# Many at once


def test_while_many_sign_in_the_next_one_is_asked_to_wait_and_every_other_page_is_served(app):
    make_user("ann")
    visitor = browse(app)
    fields = {"username": "ann", "email": "ann@example.com", "password": PASSWORD}
    with taken(hashing_places):
        for path in ["/login", "/register"] * 6:
            answer = visitor.submit(path, **fields | {"username": "ann" if path == "/login" else "zoe"})
            assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
            assert "Many people are signing in" in answer.words
            assert answer.one("input[name=email]")["value"] == fields["email"], "nothing typed is lost"
        assert visitor.get("/").status_code == 200
    page = answer.one("main form")
    assert page["action"] == "/register"
    for _ in range(9):
        assert visitor.submit("/login", username="ann", password="wrong").status_code == 422, "it counted as no guess"
    assert visitor.submit("/login", username="ann", password=PASSWORD).status_code == 303


def test_passwords_take_less_than_half_of_the_threads_of_a_process():
    assert hashing_places.at_once + hashing_places.queued < (PLACES + SPARE_THREADS) / 2
