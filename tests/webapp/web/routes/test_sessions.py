"""Where somebody is signed in: the list in the settings, and how a session ends."""

import pytest

from tests.browsing import browse
from webapp.dev.factories import PASSWORD, make_user
from webapp.models import Session, User
from webapp.web.clients import browser_in_words

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def elsewhere(app, ann):
    """Another browser in which Ann is signed in."""
    return _sign_in(app, SAFARI)


def _sign_in(app, user_agent=FIREFOX):
    browser = browse(app)
    browser.environ_base["HTTP_USER_AGENT"] = user_agent
    browser.submit("/login", username="ann", password=PASSWORD)
    return browser


def _copy(app, browser):
    """Another browser that has the same cookies."""
    copy = browse(app)
    copy._cookies.update(browser._cookies)
    return copy


def _is_in(browser) -> bool:
    return browser.get("/settings").status_code == 200


def test_all_sessions_are_listed_this_browsers_first(ann, elsewhere):
    page = ann.get("/settings/sessions")
    first, second = (" ".join(row.text.split()) for row in page.page.select(".sessions li"))
    assert "this browser" in first
    assert "Mobile Safari on iOS" in second
    assert "127.0.0.0/24" in second


def test_a_session_that_is_ended_from_the_list_is_over(ann, elsewhere):
    other = Session.select().where(Session.browser.contains("Safari")).get()
    assert ann.submit(f"/settings/sessions/{other.id}/end").location == "/settings/sessions"
    assert "That session is ended." in ann.get("/settings/sessions").words
    assert [_is_in(browser) for browser in (ann, elsewhere)] == [True, False]


def test_all_others_are_ended_at_once(app, ann, elsewhere):
    third = _sign_in(app)
    ann.submit("/settings/sessions/end")
    assert "2 other sessions are ended." in ann.get("/settings/sessions").words
    assert [_is_in(browser) for browser in (ann, elsewhere, third)] == [True, False, False]
    assert not ann.get("/settings/sessions").page.select("form[action='/settings/sessions/end']")


def test_somebody_elses_session_does_not_exist(ann):
    theirs = Session.begin(make_user("bob"), "of bob")
    assert ann.submit(f"/settings/sessions/{theirs.id}/end").status_code == 404
    assert User.by_session_key("of bob")


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(app, ann, elsewhere):
    copy = _copy(app, ann)
    assert _is_in(copy)
    ann.submit("/logout")
    assert not _is_in(copy)
    assert copy.get("/live", headers={"HX-Request": "true"}).status_code == 401
    assert _is_in(elsewhere)


def test_polls_keep_no_session_alive(ann):
    before = Session.get()
    Session.update(seen_at=before.created_at.replace(year=2020)).execute()
    User.update(seen_at=before.created_at.replace(year=2020)).execute()
    for _ in range(2):
        ann.get("/live", headers={"HX-Request": "true"})
    assert Session.get().ends_at == before.ends_at
    ann.get("/")
    assert Session.get().ends_at > before.ends_at


def test_a_session_of_the_release_before_gets_a_row_at_the_next_visit_and_ends_for_every_copy(app, ann):
    with ann.session_transaction() as session:
        del session["_session"]
    Session.delete().execute()
    copy, other = _copy(app, ann), _copy(app, ann)
    assert ann.get("/live", headers={"HX-Request": "true"}).status_code == 200
    assert not Session.select().exists(), "a poll is no visit"
    assert _is_in(ann)
    assert _is_in(other)
    assert Session.select().count() == 2
    ann.submit("/logout")
    assert [_is_in(browser) for browser in (ann, copy, other)] == [False, False, True]


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Mobile Safari on iOS"),
        ("curl/8.5.0", "curl"),
        ("", ""),
        ("<script>alert(1)</script>", ""),
    ],
)
def test_browsers_have_the_names_that_people_know(user_agent, words):
    assert browser_in_words(user_agent) == words
