"""Coming in as a guest."""

from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.models import User


def _is_signed_in(browser) -> bool:
    return browser.get("/tasks").status_code == 200


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
    here.submit("/settings/email", email="ann@example.com")
    assert here.submit("/settings/password", password="a new password").status_code == 303
    assert f"Sign in as {user.username} with your new password, from anywhere." in here.get("/settings").words
    there = browse(app)
    assert there.submit("/login", username=user.username, password="a new password").status_code == 303
    assert "ann@example.com" in there.get("/settings").one("#pending-email").text
    assert _is_signed_in(here)


def test_a_site_may_allow_no_guests(make_app):
    visitor = browse(make_app(allow_guests=False))
    assert visitor.submit("/guest").status_code == 404
    assert not visitor.get("/").page.select('form[action="/guest"]')
    assert not User.select().exists()


def test_a_visitor_is_offered_to_come_as_a_guest(visitor):
    assert visitor.get("/").one('form[action="/guest"][method=post] button')
