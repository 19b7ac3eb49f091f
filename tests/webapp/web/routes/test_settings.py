"""A person's own settings."""

from datetime import datetime

import pytest

from tests.browsing import browse
from webapp.dev.factories import PASSWORD, make_task, make_user
from webapp.models import Task, User

PROFILE = {"about": "I knit.", "time_zone": "Europe/Berlin"}


def _ann() -> User:
    return User.by_username("ann")


def test_a_profile_is_saved_and_shown(ann):
    answer = ann.submit("/settings/profile", **PROFILE)
    assert (answer.status_code, answer.location) == (303, "/settings")
    user = _ann()
    assert {"about": user.about, "time_zone": user.time_zone} == PROFILE
    page = ann.get("/settings")
    assert page.one("#about").text.strip() == "I knit."
    assert page.one("#time_zone option[selected]")["value"] == "Europe/Berlin"


def test_a_wrong_profile_changes_nothing_and_loses_nothing(ann):
    for field, value in (("about", "x" * 501), ("time_zone", "Moon/Base")):
        answer = ann.submit("/settings/profile", **PROFILE | {field: value})
        assert answer.status_code == 422
        assert answer.one(f"#{field}-error")
        assert (_ann().about, _ann().time_zone) == ("", "UTC")
        if field != "about":
            assert answer.one("#about").text.strip() == "I knit."


def test_settings_lead_to_where_mail_is_chosen(ann):
    page = ann.get("/settings")
    assert not page.page.select("#mail_after"), "nothing is chosen in two places"
    assert page.one("form a[href='/notifications#hear']")
    assert ann.get("/notifications").one("details form#hear")


def test_times_are_shown_where_one_lives(ann):
    task = make_task(user=ann.user, created_at=datetime(2026, 7, 1, 12, 0))
    ann.submit("/settings/profile", **PROFILE)
    assert "1 July 2026, 14:00" in ann.get("/tasks").words
    assert Task.get_by_id(task.id).created_at == datetime(2026, 7, 1, 12, 0)


def test_a_new_password_ends_every_other_session(app, ann):
    elsewhere = browse(app, ann.user)
    assert elsewhere.get("/settings").status_code == 200
    answer = ann.submit("/settings/password", current=PASSWORD, password="a new password")
    assert (answer.status_code, answer.location) == (303, "/settings")
    assert ann.get("/settings").status_code == 200
    assert elsewhere.get("/settings").location.startswith("/login")
    assert browse(app).submit("/login", username="ann", password=PASSWORD).status_code == 422
    assert browse(app).submit("/login", username="ann", password="a new password").status_code == 303


def test_a_password_is_changed_only_by_who_knows_it(app, ann):
    for current in ("", "wrong"):
        answer = ann.submit("/settings/password", current=current, password="a new password")
        assert answer.status_code == 422
        assert answer.one("#current-error")
    assert _ann().has_password(PASSWORD)


def test_a_weak_password_is_refused(ann):
    answer = ann.submit("/settings/password", current=PASSWORD, password="short")
    assert answer.status_code == 422
    assert answer.one("#password-error")
    assert _ann().has_password(PASSWORD)


def test_a_guest_is_not_asked_for_a_password_they_have_not(app):
    page = browse(app, make_user(guest=True)).get("/settings")
    assert not page.page.select("#current")
    assert page.one("#password")


@pytest.mark.parametrize(("role", "factor"), [(None, None), ("operator", None), ("operator", "key"), ("later", None)])
def test_who_has_a_role_that_lacks_a_second_factor_is_told_on_every_page_of_the_settings(app, role, factor):
    browser = browse(app, make_user(role=role, totp_secret=factor))
    for path in ("/settings", "/settings/sessions"):
        told = "Your role, operator, counts once you turn on two-factor authentication" in browser.get(path).words
        assert told is (role == "operator" and factor is None)
