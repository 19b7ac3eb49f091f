"""Signing in to an account with a second factor."""

import logging

import pytest

from tests.browsing import Browser, browse
from tests.phones import Phone
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.times import utcnow
from webapp.models import AccountMail, RateCount, RecoveryCode, SecondFactor, Session, User
from webapp.web import half_sign_in
from webapp.web.session_cookies import SESSION_KEY

NAME = {"username": "ann", "password": PASSWORD}


@pytest.fixture
def phone(monkeypatch):
    return Phone(monkeypatch)


@pytest.fixture
def codes(app, phone):
    """The recovery codes of Ann, who has a second factor."""
    return phone.pair(make_user("ann", email="ann@example.com"))


def _is_signed_in(browser: Browser) -> bool:
    return browser.get("/tasks").status_code == 200


def _half(browser: Browser, path: str = "/login") -> Browser:
    answer = browser.submit(path, **NAME)
    assert (answer.status_code, answer.location) == (303, "/login/code")
    return browser


def _from(app, network: int) -> Browser:
    browser = browse(app)
    browser.environ_base["REMOTE_ADDR"] = f"198.51.{network}.1"
    return browser


@pytest.mark.parametrize(("path", "more"), [("/login", {}), ("/register", {"email": ""})])
def test_a_right_password_alone_signs_in_to_nothing(visitor, phone, codes, path, more):
    """Registering again with one's name and password signs in, too, and is no way around."""
    answer = visitor.submit(f"{path}?next=/tasks?q=x", **NAME | more)
    assert (answer.status_code, answer.location) == (303, "/login/code?next=/tasks?q%3Dx")
    assert not _is_signed_in(visitor)
    assert not Session.select().exists()
    page = visitor.get(answer.location)
    assert page.headers["Cache-Control"] == "no-store"
    field = page.one("#code")
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
    answer = visitor.submit(answer.location, code=phone.next_code())
    assert (answer.status_code, answer.location) == (303, "/tasks?q=x")
    assert _is_signed_in(visitor)
    assert Session.get().authenticated_at


def test_a_wrong_or_used_code_is_told_at_its_field(visitor, phone, codes, caplog):
    caplog.set_level(logging.INFO, "errand.security")
    used = phone.code
    _half(visitor)
    for typed in ("", "000000x", used, "1" * 100_000):
        answer = visitor.submit("/login/code", code=typed)
        assert answer.status_code == 422
        assert answer.one("#code-error")
    assert "second factor failed" in caplog.text
    assert not _is_signed_in(visitor)


def test_without_the_phone_a_recovery_code_signs_in_and_how_many_are_left_is_said(app, phone, codes, caplog):
    caplog.set_level(logging.INFO, "errand.security")
    visitor = _half(browse(app))
    page = visitor.get(visitor.get("/login/code").one("a[href*=recovery]")["href"])
    assert page.one("#code")["inputmode"] == "text", "letters can be typed on a phone"
    assert visitor.submit("/login/code?by=recovery", code=codes[0].upper()).location == "/"
    assert "You have 9 recovery codes left." in visitor.get("/").words
    assert AccountMail.get(AccountMail.kind == "recovery_code_used").arguments == {"left": 9}
    assert "recovery code used" in caplog.text
    assert not any(text in caplog.text for text in (codes[0], phone.secret, PASSWORD))
    RecoveryCode.update(used_at=utcnow()).where(RecoveryCode.id > 3).execute()
    other = _half(browse(app))
    other.submit("/login/code", code=phone.next_code())
    assert "You have 2 recovery codes left. Get new ones" in other.get("/").words


def test_the_code_has_to_come_soon(visitor, phone, codes, monkeypatch):
    _half(visitor)
    now = half_sign_in.time.time()
    monkeypatch.setattr("webapp.web.half_sign_in.time.time", lambda: now + half_sign_in.HOLDS + 1)
    answer = visitor.submit("/login/code?next=/tasks", code=phone.next_code())
    assert (answer.status_code, answer.location) == (303, "/login?next=/tasks")
    assert "enter your password again" in visitor.get("/login").words


def _new_password(user: User) -> None:
    user.set_password("another password")


def _off(user: User) -> None:
    SecondFactor(user).turn_off()


@pytest.mark.parametrize("change", [_new_password, _off, User.delete_instance])
def test_it_is_over_when_the_account_changes(visitor, phone, codes, change):
    _half(visitor)
    change(User.by_username("ann"))
    assert visitor.submit("/login/code", code=phone.next_code()).location == "/login"
    assert not _is_signed_in(visitor)


def test_a_half_sign_in_leads_to_one_sign_in_and_its_cookie_is_then_worth_nothing(app, phone, codes):
    thief, ann = browse(app), _half(browse(app))
    with ann.session_transaction() as ours, thief.session_transaction() as copy:
        copy.update(ours)
    assert ann.submit("/login/code", code=phone.next_code()).location == "/"
    assert thief.submit("/login/code", code=phone.next_code()).location == "/login"
    assert thief.submit("/login/code", code=codes[0]).location == "/login"
    assert ann.submit("/login/code", code=codes[0]).location == "/login", "which leads on whoever is signed in by now"
    assert "password again" not in ann.get("/").words
    assert not _is_signed_in(thief)


@pytest.mark.parametrize("made_up", ["1", "1.2.3", "1.9999999999.x.y", "2.0.x.y"])
def test_nobody_makes_a_half_sign_in_up(visitor, phone, codes, made_up):
    with visitor.session_transaction() as session:
        session["_half"] = made_up  # as if it were signed: what is in it has to fit, too
    assert visitor.get("/login/code").location == "/login"


def test_the_session_after_it_is_another_than_that_of_before(app, phone, codes):
    browser = browse(app, make_user("bob"))
    with browser.session_transaction() as session:
        before = session[SESSION_KEY]
    _half(browser)
    assert "bob" in browser.get("/").one("header").text, "until the code, nothing changes"
    browser.submit("/login/code", code=phone.next_code())
    with browser.session_transaction() as session:
        assert session[SESSION_KEY] != before
        assert "_half" not in session


def test_next_leads_nowhere_else(visitor, phone, codes):
    answer = visitor.submit("/login?next=//evil.example", **NAME)
    assert answer.location == "/login/code"
    assert visitor.submit("/login/code?next=//evil.example", code=phone.next_code()).location == "/"


# Guessing


def test_ten_guesses_from_wherever_are_all_and_the_owner_signs_in_all_the_same(app, phone, codes):
    owner = _half(_from(app, 1))
    owner.submit("/login/code", code=phone.next_code())
    owner.submit("/logout")
    guessed = AccountMail.kind == "second_factor_guessed"
    said = [_half(_from(app, n)).submit("/login/code", code="000000").status_code for n in range(10, 19)]
    assert not AccountMail.select().where(guessed).exists()
    said += [_half(_from(app, n)).submit("/login/code", code="000000").status_code for n in range(19, 22)]
    assert said == [422] * 10 + [429] * 2
    refused = _half(_from(app, 30)).submit("/login/code", code=phone.next_code())
    assert refused.status_code == 429, "even the right one"
    assert "then try again" in refused.words
    told = [mail.address for mail in AccountMail.select().where(guessed)]
    assert told == ["ann@example.com"], "once, and not with each guess"
    assert _half(owner).submit("/login/code", code=phone.next_code()).location == "/"


def test_no_more_than_fifty_are_guessed_a_day(app, phone, codes):
    strangers = [_half(_from(app, n)) for n in range(6)]
    guessed = 0
    for stranger in strangers:
        while (status := stranger.submit("/login/code", code="000000").status_code) == 422:
            guessed += 1
        assert status == 429
        RateCount.update(until=0).where(RateCount.number == 11).execute()  # ten minutes later
    assert guessed == 50


def test_who_has_only_the_password_is_not_known_as_a_browser_of_the_account(app, phone, codes):
    """Nor is one that signed in when the password was still all."""
    User.update(totp_secret=None).execute()
    guesser = _from(app, 1)
    assert guesser.submit("/login", **NAME).location == "/"
    guesser.submit("/logout")
    RecoveryCode.delete().execute()
    phone.pair(User.by_username("ann"))
    before = guesser.get_cookie("errand-known").value
    for _ in range(10):
        _half(guesser).submit("/login/code", code="000000")
    assert guesser.get_cookie("errand-known").value == before
    assert _half(_from(app, 2)).submit("/login/code", code="000000").status_code == 429, "all are counted together"


def test_a_guest_is_asked_before(visitor, phone, codes):
    visitor.submit("/guest")
    assert visitor.submit("/login", **NAME).status_code == 422
    assert visitor.submit("/login", **NAME, leave="yes").location == "/login/code"
    assert visitor.get("/").page.select("#guest"), "and stays a guest until the code"
