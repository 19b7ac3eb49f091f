"""The second factor in the settings: turned on, its recovery codes, turned off."""

import logging
from datetime import timedelta

import pytest
import segno

from tests.browsing import browse
from tests.phones import Phone
from tests.taken_places import taken
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.times import utcnow
from webapp.models import AccountMail, RecoveryCode, SecondFactor, Session, User, recovery_code
from webapp.models.account_mail import MOST_TOLD
from webapp.models.passwords import hash_password, hashing_places
from webapp.web import shown_once
from webapp.web.code_attempts import NEW_CODES
from webapp.web.presenters.second_factor import Setup

PAGE = "/settings/security"
SETUP = f"{PAGE}/second-factor"
OFF = f"{SETUP}/off"
CODES = f"{PAGE}/recovery-codes"


@pytest.fixture
def phone(monkeypatch):
    return Phone(monkeypatch)


@pytest.fixture
def ann(app, phone):
    """Ann's browser; she has a second factor, and `ann.codes` are her recovery codes."""
    browser = browse(app, make_user("ann", email="ann@example.com"))
    browser.codes = phone.pair(browser.user)
    return browser


def _row() -> User:
    return User.by_username("ann")


def _shown(page) -> list[str]:
    return [code.text for code in page.page.select(".codes li")]


def test_it_is_turned_on_by_the_first_right_code_of_the_app(app, phone, caplog):
    caplog.set_level(logging.DEBUG)
    ann = browse(app, make_user("ann", email="ann@example.com"))
    elsewhere = browse(app, ann.user)
    assert "Off." in ann.get(PAGE).words
    setup = phone.scan(ann)
    wrong = ann.submit(SETUP, setup=setup, code="000000", end_others="y")
    assert wrong.status_code == 422
    assert wrong.one("#code-error")
    assert wrong.one(".letters").text.replace(" ", "") == phone.secret, "the app need not scan again"
    assert not _row().has_second_factor
    answer = ann.submit(SETUP, setup=setup, code=phone.next_code(), end_others="y")
    assert (answer.status_code, answer.location) == (303, CODES)
    assert elsewhere.get(PAGE).location.startswith("/login"), "signed out everywhere else"
    assert len(_shown(ann.get(CODES))) == 10
    assert AccountMail.get().kind == "second_factor_on"
    assert "second factor turned on" in caplog.text
    for path in (PAGE, CODES, SETUP, OFF, "/", "/settings"):
        assert phone.secret not in ann.get(path).get_data(as_text=True).replace(" ", ""), path
    assert phone.secret not in caplog.text
    assert phone.secret not in _row().totp_secret


def test_what_the_app_scans_reads_as_the_secret_that_is_typed(app, phone):
    setup = Setup("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "ann", "A & B")
    assert setup.link == "otpauth://totp/A%20%26%20B:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=A%20%26%20B"
    assert setup.letters == "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"
    dark = set()
    for run in setup.path.split("z")[:-1]:
        place, _, width = run.removeprefix("M").partition("h")
        x, y = map(int, place.split())
        dark |= {(x + n, y) for n in range(int(width.partition("v")[0]))}
    rows = [list(row) for row in segno.make(setup.link, error="m", micro=False).matrix_iter(border=4)]
    assert dark == {(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module}
    page = browse(app, make_user()).get(SETUP)
    assert page.one("svg.qr[role=img][aria-label]")
    assert page.one("a[href^='otpauth://']")
    assert not page.page.select("[style]"), "the policy forbids it"
    assert page.headers["Cache-Control"] == "no-store"


def test_a_secret_that_was_shown_to_somebody_else_or_long_ago_is_not_taken(app, phone, monkeypatch):
    ann, bob = browse(app, make_user("ann")), browse(app, make_user("bob"))
    theirs = phone.scan(bob)
    for setup in (theirs, theirs[:-4] + "AAA=", "", "x"):
        answer = ann.submit(SETUP, setup=setup, code=phone.code)
        assert answer.status_code == 422
        assert "here is a new code to scan" in answer.one("#code-error").text
        assert answer.one(".letters").text.replace(" ", "") != phone.secret
    ours = phone.scan(ann)
    now = shown_once.time.time()
    monkeypatch.setattr("webapp.web.forms.second_factor.time.time", lambda: now + 3601)
    assert ann.submit(SETUP, setup=ours, code=phone.code).status_code == 422
    assert not _row().has_second_factor


def test_a_second_tab_does_not_replace_what_is_on(app, phone):
    ann = browse(app, make_user("ann"))
    other = Phone.__new__(Phone)
    first, second = phone.scan(ann), other.scan(ann)
    ann.submit(SETUP, setup=first, code=phone.next_code())
    kept, shown = _row().totp_secret, _shown(ann.get(CODES))
    other.now = phone.now
    assert ann.submit(SETUP, setup=second, code=other.code).location == PAGE
    assert "on already" in ann.get(PAGE).words
    assert (_row().totp_secret, _shown(ann.get(CODES))) == (kept, shown)


def test_a_guest_is_told_to_set_a_password_first(app):
    guest = browse(app, make_user(guest=True))
    assert guest.get(SETUP).location == "/settings#keep"
    assert "Set a password first" in guest.get("/settings").words


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_has_found_an_open_session_turns_nothing_on(app, phone, method):
    ann = browse(app, make_user("ann"))
    setup = phone.scan(ann)
    Session.update(authenticated_at=utcnow() - timedelta(minutes=11)).execute()
    if method == "get":
        assert ann.get(SETUP).location == f"/reauthentication?next={SETUP}"
    else:
        assert "Confirm it’s you" in ann.submit(SETUP, setup=setup, code=phone.next_code()).words
    assert not _row().has_second_factor


# Recovery codes


def test_recovery_codes_are_shown_and_downloaded_until_they_are_said_to_be_kept(app, ann, phone, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "errand.security")
    assert ann.get(CODES).location == PAGE, "none were made in this browser"
    answer = ann.submit(CODES)
    assert (answer.status_code, answer.location) == (303, CODES)
    assert "recovery codes replaced" in caplog.text
    codes = _shown(ann.get(CODES))
    assert not set(codes) & set(ann.codes)
    assert SecondFactor(_row()).accept(ann.codes[0]) is None
    file = ann.get(f"{CODES}.txt")
    assert file.get_data(as_text=True).split()[-10:] == codes
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["Cache-Control"] == "no-store"
    with ann.session_transaction() as session:
        assert not any(code in str(dict(session)) for code in codes), "who reads the cookie reads no code"
        kept = session["_codes"]
    bob = browse(app, make_user("bob"))
    with bob.session_transaction() as session:
        session["_codes"] = kept
    assert bob.get(CODES).location == PAGE
    ann.submit(f"{CODES}/kept")
    assert ann.get(CODES).location == ann.get(f"{CODES}.txt").location == PAGE
    assert [mail.kind for mail in AccountMail.select()] == ["second_factor_on", "recovery_codes_new"]
    ann.submit(CODES)
    now = shown_once.time.time()
    monkeypatch.setattr("webapp.web.shown_once.time.time", lambda: now + shown_once.HOLDS + 1)
    assert ann.get(CODES).location == PAGE, "and not for long"


def test_whoever_makes_recovery_codes_all_day_takes_little_of_the_server_and_fills_no_mailbox(ann, monkeypatch):
    with taken(hashing_places):
        assert ann.submit(CODES).status_code == 503, "as many are hashing as may"
    monkeypatch.setattr(recovery_code, "COST", 2)
    most = NEW_CODES[0].amount
    answers = [ann.submit(CODES).status_code for _ in range(most + 1)]
    assert answers == [303] * most + [429]
    of_ann = SecondFactor(_row())
    for _ in range(MOST_TOLD):
        of_ann.renew_codes()
    assert AccountMail.select().where(AccountMail.kind == "recovery_codes_new").count() == MOST_TOLD


def test_few_recovery_codes_are_said_on_the_page(ann):
    assert "You have 10 left." in ann.get(PAGE).words
    assert not ann.get(PAGE).page.select("[aria-labelledby=codes-title] [role=alert]")
    RecoveryCode.update(used_at=utcnow()).where(RecoveryCode.id > 3).execute()
    assert ann.get(PAGE).one("[aria-labelledby=codes-title] [role=alert]")


def test_without_a_second_factor_there_are_no_recovery_codes(app):
    bob = browse(app, make_user("bob"))
    assert bob.submit(CODES).location == PAGE
    assert not RecoveryCode.select().exists()


# Off


def test_it_is_turned_off_by_password_and_code_however_recently_they_were_given(app, ann, phone):
    elsewhere = browse(app, ann.user)
    assert ann.get(OFF).status_code == 200
    code = phone.next_code()
    wrong = [("password", {}), ("password", {"password": "x" * 12, "code": code})]
    wrong += [("code", {"password": PASSWORD, "code": "000000"}), ("code", {"password": PASSWORD})]
    for field, fields in wrong:
        answer = ann.submit(OFF, **fields)
        assert answer.status_code == 422
        assert answer.page.select("#main [autofocus]")[0]["id"] == field
        assert answer.one(f"#{field}-error")
        assert _row().has_second_factor
    assert ann.submit(OFF, password=PASSWORD, code=phone.next_code()).location == PAGE
    assert "Your password alone signs you in now" in ann.get(PAGE).words
    assert not _row().has_second_factor
    assert elsewhere.get(PAGE).status_code == 200, "was not asked for"
    assert browse(app).submit("/login", username="ann", password=PASSWORD).location == "/"
    assert ann.get(OFF).location == PAGE


def test_a_password_that_is_too_short_alone_is_replaced_first(ann, phone):
    User.update(password_hash=hash_password("elevenchars")).execute()
    answer = ann.submit(OFF, password="elevenchars", code=phone.next_code())
    assert answer.status_code == 422
    assert "at least 12 characters" in answer.one("#password-error").text
    assert answer.one("form a[href='/settings#keep']")
    assert _row().has_second_factor


def test_a_role_keeps_it_on(ann, phone):
    User.update(role="operator").execute()
    assert not ann.get(PAGE).page.select(f"a[href='{OFF}']")
    assert ann.get(OFF).location == PAGE
    assert ann.submit(OFF, password=PASSWORD, code=phone.next_code()).location == PAGE
    assert "Your role, operator, needs two-factor authentication" in ann.get(PAGE).words
    assert _row().has_second_factor


def test_whoever_guesses_codes_in_an_open_session_is_stopped(ann, phone):
    said = [ann.submit(OFF, password=PASSWORD, code="000000").status_code for _ in range(11)]
    assert said == [422] * 10 + [429]
