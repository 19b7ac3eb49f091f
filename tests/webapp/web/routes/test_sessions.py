"""Where somebody is signed in: the list in the settings, and how a session ends."""

from datetime import timedelta

import pytest

from tests.browsing import browse
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.times import utcnow
from webapp.models import Session, User
from webapp.web.clients import browser_in_words
from webapp.web.routes.settings.sessions import MOST_LISTED

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
    assert "This browser" in first
    assert "Mobile Safari on iOS" in second
    assert "127.0.0.0/24" in second


def test_a_session_that_is_ended_from_the_list_is_over(ann, elsewhere):
    other = Session.select().where(Session.browser.contains("Safari")).get()
    assert ann.submit(f"/settings/sessions/{other.id}/end").location == "/settings/sessions"
    assert "Session ended: Mobile Safari on iOS." in ann.get("/settings/sessions").words
    assert [_is_in(browser) for browser in (ann, elsewhere)] == [True, False]
    assert not ann.get("/settings/sessions").page.select(f"#session-{other.id}"), "what is over is not shown"
    assert ann.submit(f"/settings/sessions/{other.id}/end").location == "/settings/sessions"
    assert "That session had already ended." in ann.get("/settings/sessions").words, "from another tab"


def test_of_very_many_sessions_the_latest_are_listed_in_as_many_queries(ann, elsewhere, queries):
    counts = []
    for _ in range(2):
        ann.get("/settings/sessions")
        with queries() as seen:
            page = ann.get("/settings/sessions")
        counts.append(seen.count)
        hers = Session.get(Session.browser.contains("Safari"))
        row = {"user": hers.user_id, "account_key": hers.account_key, "ends_at": hers.ends_at}
        Session.insert_many(
            [row | {"key_hash": f"{n}", "browser": "B" * 100} for n in range(200)]
        ).on_conflict_ignore().execute()
    assert counts[0] == counts[1]
    assert len(page.page.select(".sessions li")) == MOST_LISTED
    assert "This browser" in page.page.select_one(".sessions li").text
    assert f"These are {MOST_LISTED} of your sessions." in page.words
    ann.submit("/settings/sessions/end")
    assert len(ann.get("/settings/sessions").page.select(".sessions li")) == 1


def test_this_browsers_own_session_ends_as_by_signing_out(ann):
    ours = Session.get()
    answer = ann.submit(f"/settings/sessions/{ours.id}/end")
    assert (answer.location, answer.headers["Clear-Site-Data"]) == ("/", '"cache"')
    assert not _is_in(ann)


def test_signing_in_gives_a_browser_a_new_session_and_ends_the_one_it_had(app, ann, visitor):
    visitor.get("/login")
    planted = _copy(app, visitor)
    for browser in (visitor, ann):
        before = _copy(app, browser)
        browser.submit("/login", username="ann", password=PASSWORD)
        assert _is_in(browser)
        assert not _is_in(before), "no copy of its cookie of before is signed in"
    assert not _is_in(planted)
    assert len(Session.of(ann.user, 9)) == 2


def test_a_cookie_of_a_session_is_good_in_a_process_of_the_release_before(ann):
    """While both run: that one looks for the account by its key alone, and keeps what else the cookie says."""
    with ann.session_transaction() as session:
        assert session["_user_id"] == ann.user.session_key


def test_what_happens_to_sessions_is_in_the_security_log(app, ann, elsewhere, caplog):
    caplog.set_level("INFO", "errand.security")
    other = Session.get(Session.browser.contains("Safari"))
    ann.submit(f"/settings/sessions/{other.id}/end")
    ann.submit(f"/settings/sessions/{other.id}/end")
    ann.submit("/settings/sessions/end")
    ann.submit("/logout")
    said = [record.fields for record in caplog.records if record.name == "errand.security"]
    assert [(fields["event"], fields["account_id"]) for fields in said] == [
        ("session ended", ann.user.id), ("session ended", ann.user.id), ("signed out", ann.user.id)
    ]  # fmt: skip
    assert (said[0]["session_id"], said[1]["sessions"]) == (other.id, 0)


def test_all_others_are_ended_at_once(app, ann, elsewhere):
    third = _sign_in(app)
    ann.submit("/settings/sessions/end")
    assert "2 other sessions ended." in ann.get("/settings/sessions").words
    assert [_is_in(browser) for browser in (ann, elsewhere, third)] == [True, False, False]
    assert not ann.get("/settings/sessions").page.select("form[action='/settings/sessions/end']")


def test_who_has_found_an_open_browser_ends_no_session_of_its_owner(ann, elsewhere):
    Session.update(authenticated_at=utcnow() - timedelta(minutes=11)).execute()
    other = Session.get(Session.browser.contains("Safari"))
    for path in (f"/settings/sessions/{other.id}/end", "/settings/sessions/end"):
        asked = ann.submit(path)
        assert (asked.status_code, len(asked.page.select("#reauthentication_password"))) == (422, 1)
        assert ann.submit(path, reauthentication_password="wrong").status_code == 422
    assert _is_in(elsewhere)
    assert ann.submit("/settings/sessions/end", reauthentication_password=PASSWORD).status_code == 303
    assert not _is_in(elsewhere)


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
        ("x" * 10_000, ""),
        ("evil.example-crawler/2.0", "example-crawler"),
        ("\u202e" + "y" * 200 + "bot/1", "y" * 40),
    ],
)
def test_browsers_have_the_names_that_people_know(user_agent, words):
    assert browser_in_words(user_agent) == words
