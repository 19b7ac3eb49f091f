"""What the page does when the server, the network or the session fails: nothing wrong comes in, and polling goes on."""

import pytest

from tests.browser.people import SOON, alert, see


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


def test_a_lost_session_leads_to_the_sign_in_page_and_back(person, home):
    person.context.clear_cookies()
    home.wait_for_url("**/login?next=/", timeout=SOON)


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
