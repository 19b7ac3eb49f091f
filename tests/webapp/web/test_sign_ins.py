"""A sign-in from a new browser is told: to whom, of what, and how often at most."""

from datetime import timedelta

import pytest

from tasks.mail_account import line_up_account_mails
from tests.browsing import browse
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.times import clock_words, utcnow
from webapp.models import AccountMail, Notification, RateCount, Session, User
from webapp.models.new_browser import MAILS_A_DAY

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def _sign_in(app, browser=None, user_agent=FIREFOX):
    browser = browser or browse(app)
    browser.environ_base["HTTP_USER_AGENT"] = user_agent
    assert browser.submit("/login", username="ann", password=PASSWORD).status_code == 303
    return browser


def _told(user: User) -> list[str]:
    return [str(said) for said in Notification.of(user)]


@pytest.fixture
def hers(ann):
    """Ann's account, to which she has been signed in before, with an address."""
    User.update(email="ann@example.com", time_zone="Europe/Berlin").execute()
    return User.get()


def test_a_sign_in_from_a_new_browser_is_told_once_for_each_browser(app, hers):
    browser = _sign_in(app)
    assert _told(hers) == ["New sign-in: Firefox on Linux"]
    assert AccountMail.select().count() == 1
    browser.submit("/logout")
    _sign_in(app, browser)
    assert AccountMail.select().count() == 1, "it is known by its cookie, also after signing out"
    _sign_in(app, user_agent="")
    assert _told(hers) == ["New sign-in: a program"], "one record, of the latest"
    assert AccountMail.select().count() == 2


def test_it_is_read_where_it_leads_to(app, ann, hers):
    _sign_in(app)
    assert ann.get("/").one("#notice-badge").text.split()[0] == "1"
    page = ann.get(ann.get("/notifications").one("#notices li a")["href"])
    assert "Firefox on Linux" in page.words
    assert ann.get("/").one("#notice-badge").text.split()[0] == "1", "opening a page writes nothing"
    ann.submit(page.one("[hx-post$='/reading'][hx-trigger=load]")["hx-post"])
    assert ann.get("/").one("#notice-badge").has_attr("hidden")
    assert not ann.get("/settings/sessions").page.select("[hx-post$='/reading']")


def test_it_is_told_even_to_who_wants_to_hear_nothing(app, ann, hers):
    nothing = dict.fromkeys(("message", "succeeded", "failed", "mail", "sign_in"), "off")
    assert ann.submit("/notifications/settings", **nothing).status_code == 303
    assert not ann.get("/notifications").page.select("#sign_in")
    User.update(hearing={"sign_in": "off"}).execute()
    _sign_in(app)
    assert len(_told(hers)) == AccountMail.select().count() == 1


@pytest.mark.parametrize("how", ["registered", "became a member", "of the release before"])
def test_the_browser_in_which_somebody_came_is_no_new_one(app, how):
    browser = browse(app)
    if how == "registered":
        browser.submit("/register", username="ann", password=PASSWORD, email="")
    else:
        browser.submit("/guest")
        User.update(username="ann", username_key="ann").execute()
        browser.submit("/settings/password", password=PASSWORD)
    if how == "of the release before":
        browser.delete_cookie("errand-known")
        with browser.session_transaction() as session:
            del session["_session"]
        Session.delete().execute()
        browser.get("/")
    browser.submit("/logout")
    _sign_in(app, browser)
    assert _told(User.get()) == []


def test_the_first_sign_in_to_an_account_is_not_told_but_one_after_years_is(app):
    user = make_user("ann", email="ann@example.com", created_at=utcnow())
    _sign_in(app)
    assert not _told(user)
    Session.delete().execute()
    User.update(created_at=user.created_at - timedelta(days=900)).execute()
    _sign_in(app)
    assert len(_told(user)) == AccountMail.select().count() == 1


def test_who_signs_in_without_cookies_all_day_gets_few_mails_and_the_last_says_so(app, hers):
    for _ in range(MAILS_A_DAY + 3):
        _sign_in(app)
    mails = list(AccountMail.select().order_by(AccountMail.id))
    assert [mail.arguments["is_last"] for mail in mails] == [False] * (MAILS_A_DAY - 1) + [True]
    assert len(_told(hers)) == 1
    RateCount.delete().execute()  # a day later
    _sign_in(app)
    assert AccountMail.select().count() == MAILS_A_DAY + 1


def test_a_wrong_password_is_not_told(app, hers):
    browse(app).submit("/login", username="ann", password="wrong")
    assert not _told(hers)
    assert not AccountMail.select().exists()


def test_the_mail_says_when_where_and_what_to_do(mailserver, app, hers, run_tasks):
    browser = browse(app)
    browser.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    _sign_in(app, browser)
    began = Session.get(Session.network == "203.0.113.0/24").created_at
    line_up_account_mails(10)
    run_tasks()
    [mail] = mailserver.mails
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "New sign-in to your Errand account")
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert len(parts) == 2
    for said in parts:
        assert all(words in said for words in ("Firefox on Linux", "203.0.113.0/24", "(Europe/Berlin)"))
        assert clock_words(began, "Europe/Berlin") in said
        assert "http://localhost/settings/sessions" in said
        assert "http://localhost/settings#keep" in said
        assert "last email" not in said
