"""What the page does when the server, the network or the session fails: nothing wrong comes in, and polling goes on."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.browser.people import SOON, alert, see, see_gone


@pytest.fixture
def home(person):
    person.come_as_guest()
    person.count_down(1)
    page = person.visit("/")
    see(alert(page, "succeeded"))
    return page


def _poll(page):
    with page.expect_response(lambda answer: "/live" in answer.url, timeout=SOON) as polled:
        pass
    return polled.value


BAD_ANSWERS = {
    "an error page": {"status": 500, "content_type": "text/html", "body": "<h1>Broken</h1>"},
    "a proxy's page": {"status": 503, "content_type": "text/html", "body": "<title>Down</title><h1>Down</h1>"},
    "somebody's login page": {
        "status": 200,
        "content_type": "text/html",
        "body": "<title>Log in</title><h1>Log in</h1>",
    },
    "nothing": {"status": 200, "content_type": "text/html", "body": ""},
    "no content": {"status": 204},
    "not found": {"status": 404, "content_type": "text/html", "body": "<h1>Gone</h1>"},
}


@pytest.mark.parametrize("bad", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_answer_never_gets_into_the_page(home, bad):
    before = home.inner_text("body"), home.title()
    home.route("**/live*", lambda route: route.fulfill(**bad))
    _poll(home)
    assert (home.inner_text("body"), home.title()) == before
    home.unroute("**/live*")
    assert _poll(home).status in {200, 304}
    assert (home.inner_text("body"), home.title()) == before


def test_a_redirect_never_gets_into_the_page(home):
    before = home.inner_text("body")
    home.route("**/live*", lambda route: route.fulfill(status=302, headers={"Location": "/login"}))
    with home.expect_request("**/live*"):
        pass
    home.unroute("**/live*")
    _poll(home)
    assert home.inner_text("body") == before


def test_a_lost_session_leaves_what_is_being_typed_and_a_sign_in_in_another_tab_lets_it_be_sent(person):
    person.register(name := f"typist{uuid4().hex[:8]}")
    home, writing = person.visit("/"), person.page.get_by_label("Write something")
    writing.fill("Half a th")
    person.context.clear_cookies()
    writing.press_sequentially("ought")
    see(home.locator("#session").get_by_text("You’re signed out."))
    expect(writing).to_have_value("Half a thought")
    with person.context.expect_page() as opened:
        home.get_by_role("link", name="Sign in in a new tab").click()
    tab = opened.value
    tab.get_by_label("Username").fill(name)
    tab.get_by_label("Password").fill("correct horse")
    tab.get_by_role("button", name="Sign in").click()
    see(tab.get_by_label("Write something"))
    see_gone(home.locator("#session > *"))
    writing.press_sequentially(".")
    expect(home.locator("#post-count")).to_have_text("15 of 500", timeout=SOON)  # by the new token
    home.get_by_role("button", name="Post", exact=True).click()
    see(home.locator(".post").get_by_text("Half a thought."))


def test_a_form_whose_session_ended_is_sent_by_one_press_after_a_sign_in_in_another_tab(new_person, still_site):
    person = new_person(still_site)
    person.register("ann")
    page = person.visit("/")
    page.get_by_label("Write something").fill("Typed for <b>long</b>")
    person.context.clear_cookies()
    page.get_by_role("button", name="Post", exact=True).click()
    see(page.get_by_role("heading", name="You’re signed out"))
    assert_accessible(page, "with what was typed")
    with person.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    opened.value.get_by_label("Username").fill("ann")
    opened.value.get_by_label("Password").fill("correct horse")
    opened.value.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Send again").click()
    see(page.locator(".post").get_by_text("Typed for <b>long</b>"))


def test_what_was_typed_just_before_leaving_is_in_the_draft(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    page = person.visit("/mail")
    page.get_by_label("Subject", exact=True).press_sequentially("Quick")
    page.get_by_role("link", name="Home", exact=True).click()
    see(page.get_by_label("Write something"))
    expect(person.visit("/mail").get_by_label("Subject", exact=True)).to_have_value("Quick")


def test_polling_goes_on_after_the_server_was_restarted(own_site, new_person):
    person = new_person(own_site)
    person.come_as_guest()
    home = person.visit("/")
    own_site.stop("web")
    with home.expect_event("requestfailed", lambda request: "/live" in request.url, timeout=SOON):
        pass
    own_site.start_web()
    assert _poll(home).status in {200, 304}
    person.count_down(1, person.new_tab())
    see(alert(home, "succeeded"))
