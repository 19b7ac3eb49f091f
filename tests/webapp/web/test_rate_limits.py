"""Limits on guesses: what does not get around them, whom they do not hit, and that all processes count together."""

import pytest
from flask import Blueprint, Flask

from tests.browsing import browse
from tests.racing import race
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.places import Places
from webapp.models import RateCount, User, passwords
from webapp.models.passwords import HashingBusy
from webapp.web import known_browsers, rate_limits


@pytest.fixture
def few(monkeypatch):
    """An account may be guessed three times from everywhere, and so may all accounts from one address."""
    monkeypatch.setattr(rate_limits, "PER_ACCOUNT", rate_limits.parse_many("3 per hour"))
    monkeypatch.setattr(rate_limits, "PER_ADDRESS", rate_limits.parse_many("6 per hour"))


@pytest.fixture
def guess(app):
    """A function that tries a name and a password from an address, in a new browser; returns the status."""

    def guess(username: str, password: str = "wrong", address: str = "203.0.113.7", browser=None) -> int:
        browser = browser or browse(app)
        browser.environ_base["REMOTE_ADDR"] = address
        return browser.submit("/login", username=username, password=password).status_code

    return guess


def _until_refused(guesses, most: int = 20) -> int:
    """How many guesses are made before one is refused."""
    for number in range(most):
        if next(guesses) == 429:
            return number
    raise AssertionError("nobody was refused")


SPELLINGS = {
    "as it is": lambda n: "ann",
    "with NULs": lambda n: "a" + "\0" * n + "nn",
    "in other cases": lambda n: "".join(c.upper() if n >> i & 1 else c for i, c in enumerate("ann")),
    "full-width": lambda n: "ａnn" if n % 2 else "ａｎｎ",
    "with spaces around": lambda n: " " * n + "ann" + "\u3000" * (n % 3),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_name_that_is_spelled_otherwise_is_counted_as_the_same(guess, spelling):
    make_user("ann")
    assert _until_refused(guess(SPELLINGS[spelling](n)) for n in range(20)) == 10


@pytest.mark.parametrize("look_alike", ["аnn", "ann\u200b", "àn̂n", "ann smith", "<ann>", "n" * 5000])
def test_invalid_usernames_are_rate_limited_together(guess, look_alike):
    make_user("ann")
    assert _until_refused(guess(look_alike + str(n % 2)) for n in range(20)) == 10
    assert guess("ann", PASSWORD) == 303


@pytest.mark.parametrize(
    "address", [lambda n: f"2001:db8::{n:x}", lambda n: f"2001:db8:0:0:{n:x}::1", lambda n: "::ffff:203.0.113.9"]
)
def test_an_address_that_changes_within_its_network_is_counted_as_the_same(guess, address):
    make_user("ann")
    assert _until_refused(guess("ann", address=address(n)) for n in range(20)) == 10


def test_one_account_is_guarded_against_guesses_from_everywhere(guess, app, few):
    make_user("ann")
    hers = browse(app)
    assert guess("ann", PASSWORD, "198.51.100.1", hers) == 303
    hers.submit("/logout")
    guesses = (guess("ann", address=f"198.18.{n}.1") for n in range(5))
    assert _until_refused(guesses) == 3
    assert guess("ann", PASSWORD, "192.0.2.1") == 429, "not even the right one, by somebody who was never here"
    assert guess("ann", PASSWORD, "192.0.2.2", hers) == 303, "she herself is not locked out"


def test_who_knows_one_account_is_not_trusted_with_another(guess, app, few):
    make_user("ann")
    make_user("eve")
    hers = browse(app)
    assert guess("eve", PASSWORD, browser=hers) == 303
    hers.submit("/logout")
    assert _until_refused(guess("ann", address=f"198.18.{n}.1", browser=hers) for n in range(5)) == 3


def test_a_forged_cookie_of_a_known_browser_is_ignored(guess, app, few):
    make_user("ann")
    forger = browse(app)
    forger.set_cookie("errand-known", "WyJhbm4iXQ.forged")
    assert _until_refused(guess("ann", browser=forger) for _ in range(5)) == 3


def test_many_accounts_are_guarded_against_one_address(guess, few):
    assert _until_refused(guess(f"person-{n}") for n in range(8)) == 6


def test_the_owner_gets_in_from_a_known_browser_behind_the_same_address_as_those_who_guess(guess, app):
    make_user("ann")
    hers = browse(app)
    assert guess("ann", PASSWORD, browser=hers) == 303
    hers.submit("/logout")
    assert _until_refused(guess("ann") for _ in range(20)) == 10
    assert _until_refused((guess(f"person-{n}") for n in range(99)), 99) == 48, "nobody there has a try left"
    assert guess("ann", PASSWORD) == 429
    assert guess("ann", PASSWORD, browser=hers) == 303


def test_a_known_browser_has_an_allowance_of_its_own(guess, app):
    make_user("ann")
    shared, hers = browse(app), browse(app)
    for browser in (shared, hers):
        assert guess("ann", PASSWORD, browser=browser) == 303
        browser.submit("/logout")
    assert _until_refused(guess("ann", address=f"198.18.{n}.1", browser=shared) for n in range(20)) == 10
    assert guess("ann", PASSWORD, browser=hers) == 303


def test_a_cookie_of_the_release_before_still_tells_a_known_browser(guess, app, few):
    make_user("ann")
    hers = browse(app)
    with app.test_request_context():
        hers.set_cookie("errand-known", known_browsers._signer().dumps(["ann"]))
    _until_refused(guess("ann", address=f"198.18.{n}.1") for n in range(5))
    assert guess("ann", PASSWORD, browser=hers) == 303


def test_a_new_password_ends_what_other_browsers_were_known_for(guess, app, few):
    user = make_user("ann")
    hers, another = browse(app), browse(app)
    for browser in (hers, another):
        assert guess("ann", PASSWORD, browser=browser) == 303
    new = "another horse battery"
    assert hers.submit("/settings/password", current=PASSWORD, password=new).status_code == 303
    for browser in (hers, another):
        browser.submit("/logout")
    _until_refused(guess("ann", address=f"198.18.{n}.1") for n in range(5))
    assert guess("ann", new, browser=another) == 429
    assert guess("ann", new, browser=hers) == 303, "the one in which it was set stays known"
    with app.test_request_context():
        names = known_browsers._signer().loads(hers.get_cookie("errand-known").value)["accounts"]
    assert names == [known_browsers._present(User.get_by_id(user.id))], "nothing of before is kept"


@pytest.mark.parametrize("begin", ["register", "sign in"])
def test_who_is_signed_in_sets_a_password_whoever_guesses_at_the_account(guess, app, few, begin):
    hers = browse(app) if begin == "register" else browse(app, make_user("ann"))
    if begin == "register":
        assert hers.submit("/register", username="ann", password=PASSWORD).status_code == 303
    _until_refused(guess("ann", address=f"198.18.{n}.1") for n in range(5))
    form = {"current": PASSWORD, "password": "another horse battery"}
    assert hers.submit("/settings/password", **form).status_code == 303
    hers.submit("/logout")
    assert guess("ann", form["password"], browser=hers) == 303


def test_right_passwords_are_tries_since_each_is_hashed(guess, app, monkeypatch):
    for limit in ("TRIES_PER_ADDRESS", "TRIES_PER_KNOWN_ACCOUNT"):
        monkeypatch.setattr(rate_limits, limit, rate_limits.parse_many("3 per minute"))
    make_user("ann")
    make_user("bob")
    assert [guess("ann", PASSWORD) for _ in range(4)] == [303] * 3 + [429]
    assert guess("ann", PASSWORD, "203.0.113.8") == 303
    his = browse(app)
    tries = [guess("bob", PASSWORD, f"198.18.{n}.1", his) for n in range(5)]
    assert tries == [303] * 4 + [429], "the first from a browser that was not known, and from wherever it is"


def test_right_passwords_are_no_guesses(guess):
    make_user("ann")
    assert {guess("ann", PASSWORD) for _ in range(12)} == {303}
    assert guess("ann") == 422


def test_guesses_that_come_at_once_are_no_more_than_those_that_come_in_turn(each_database, monkeypatch):
    monkeypatch.setattr(passwords, "hashing_places", Places(14, 0, 0, HashingBusy))
    app = each_database
    make_user("ann")

    def guess() -> int:
        answer = browse(app)
        return answer.submit("/login", username="ann", password="wrong").status_code

    statuses = race(14, guess)
    assert sorted(statuses) == [422] * 10 + [429] * 4


def test_the_present_password_cannot_be_guessed_in_the_settings(app):
    user = make_user("ann")
    thief = browse(app, user)
    new = {"current": "wrong", "password": "a new password"}
    answers = [thief.submit("/settings/password", **new).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert User.get_by_id(user.id).has_password(PASSWORD)


def test_who_must_wait_is_told_how_long(app, guess):
    make_user("ann")
    for _ in range(10):
        guess("ann")
    browser = browse(app)
    browser.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    answer = browser.submit("/login", username="ann", password=PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


# Counting


def test_a_window_is_as_long_as_it_should_be_whenever_it_begins(each_database, monkeypatch):
    for begin in range(1_700_000_000, 1_700_000_128, 16):
        monkeypatch.setattr("webapp.models.rate_count.time.time", lambda begin=begin: begin + 0.5)
        RateCount.add(f"at {begin}", 60)
        assert RateCount.find(f"at {begin}").seconds_left == 60


def test_a_count_is_forgotten_when_its_window_has_passed(each_database, monkeypatch):
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    assert [RateCount.add("a", 60) for _ in range(3)] == [1, 2, 3]
    now += 59
    assert RateCount.add("a", 60) == 4, "the first one began the window"
    now += 2
    assert RateCount.find("a") is None
    assert RateCount.add("a", 60) == 1


def test_old_counts_do_not_pile_up(app, monkeypatch):
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    for number in range(200):
        now += 1
        RateCount.add(f"name {number}", 10)
    assert RateCount.select().count() < 30


def test_nothing_that_was_typed_is_stored(app, guess):
    guess("ann", address="203.0.113.7")
    assert RateCount.select().count() == 6
    for count in RateCount.select():
        assert len(count.key) == 32
        assert "ann" not in count.key
        assert "203" not in count.key or "203.0" not in count.key


def test_a_limit_of_a_whole_blueprint_is_refused_as_nobody_would_ask_for_it():
    limiter, blueprint = rate_limits.RouteLimiter(rate_limits.client_network), Blueprint("all", __name__)
    limiter.limit("1 per minute")(blueprint)
    app = Flask(__name__)
    app.config["RATELIMIT_STORAGE_URI"] = rate_limits.STORAGE_URI
    with pytest.raises(ValueError, match="each view"):
        limiter.init_app(app)
