"""A person's own settings."""

from datetime import datetime

import pytest
from bs4 import Tag

from tests.browsing import browse
from webapp.factories import PASSWORD, make_task, make_user
from webapp.models import Task, User

PROFILE = {"email": "ann@example.com", "about": "I knit.", "time_zone": "Europe/Berlin"}


def _ann() -> User:
    return User.by_username("ann")


def _chosen(page) -> Tag:
    """When mail is sent, as the field shows it: what is selected, or the first choice."""
    options = page.page.select("#mail_after option")
    return next((option for option in options if option.has_attr("selected")), options[0])


def test_a_profile_is_saved_and_shown(ann):
    answer = ann.submit("/settings/profile", **PROFILE)
    assert (answer.status_code, answer.location) == (303, "/settings")
    user = _ann()
    assert {"email": user.email, "about": user.about, "time_zone": user.time_zone} == PROFILE
    page = ann.get("/settings")
    assert page.one("#email")["value"] == "ann@example.com"
    assert page.one("#about").text.strip() == "I knit."
    assert page.one("#time_zone option[selected]")["value"] == "Europe/Berlin"


def test_a_wrong_profile_changes_nothing_and_loses_nothing(ann):
    for field, value in (("email", "no address"), ("about", "x" * 501), ("time_zone", "Moon/Base")):
        answer = ann.submit("/settings/profile", **PROFILE | {field: value})
        assert answer.status_code == 422
        assert answer.one(f"#{field}-error")
        assert (_ann().email, _ann().about, _ann().time_zone) == ("", "", "UTC")
        if field != "about":
            assert answer.one("#about").text.strip() == "I knit."


@pytest.mark.parametrize(("chosen", "kept"), [("", None), ("0", 0), ("1", 1), ("5", 5), ("30", 30)])
def test_who_wants_mail_about_tasks_says_after_how_long(ann, chosen, kept):
    ann.submit("/settings/profile", **PROFILE | {"mail_after": "1"})
    ann.submit("/settings/profile", **PROFILE | {"mail_after": chosen})
    assert _ann().mail_after == kept
    assert _chosen(ann.get("/settings"))["value"] == chosen


def test_nobody_gets_mail_about_tasks_who_did_not_ask(ann):
    page = ann.get("/settings")
    assert _chosen(page).text == "Never"
    assert page.one("label[for=mail_after]").text == "Mail me when a task has ended"
    ann.submit("/settings/profile", **PROFILE)
    assert _ann().mail_after is None


@pytest.mark.parametrize("value", ["7", "-1", "often", "1; DROP"])
def test_mail_comes_after_nothing_that_is_not_offered(ann, value):
    answer = ann.submit("/settings/profile", **PROFILE | {"mail_after": value})
    assert answer.status_code == 422
    assert answer.one("#mail_after-error")
    assert _ann().mail_after is None


def test_an_address_can_be_taken_back(ann):
    ann.submit("/settings/profile", **PROFILE)
    ann.submit("/settings/profile", **PROFILE | {"email": ""})
    assert _ann().email == ""


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
