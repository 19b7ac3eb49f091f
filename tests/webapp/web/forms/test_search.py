"""Looking for posts and messages: on the home page, on somebody's own, in the inbox."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.browsing import words
from tests.processes import until
from tests.taken_places import taken
from webapp.dev.factories import make_message, make_post, make_posts, make_user
from webapp.models.search_places import search_places

PLACES = ["/", "/people/ann", "/messages"]


def test_posts_are_found_on_the_home_page_and_ones_own_on_a_profile(ann, visitor):
    mine, theirs = make_post(ann.user, "An export of mine"), make_post(body="An export of theirs")
    make_post(ann.user, "Something else")
    for browser in (ann, visitor):
        home, profile = browser.get("/?q=expo"), browser.get("/people/ann?q=expo")
        assert [post["id"] for post in home.page.select(".post")] == [f"post-{theirs.id}", f"post-{mine.id}"]
        assert [post["id"] for post in profile.page.select(".post")] == [f"post-{mine.id}"]
        assert home.one(f"#post-{mine.id} mark").text == "export"
        assert home.one("input[type=search]")["value"] == "expo"
        assert not home.page.select("#task-list, .composer, .hero")


def test_a_search_hit_is_marked_and_never_markup(ann):
    post = make_post(ann.user, "<script>alert(1)</script> & <b>")
    paragraph = ann.get("/?q=script").one(f"#post-{post.id} p")
    assert paragraph.text == "<script>alert(1)</script> & <b>"
    assert {tag.name for tag in paragraph.find_all(True)} == {"mark"}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("text", ["zzz", "%", "'", '"', "<b>", "a AND", "\0", "👋"])
def test_where_nothing_is_found_it_says_so_in_words(ann, bob, path, text):
    make_post(ann.user, "Something")
    make_message(bob.user, ann.user, "Something")
    answer = ann.get(path, query_string={"q": text})
    assert answer.status_code == 200
    if text != "\0":
        assert words(answer.one(".empty h2")) == "No results"
        assert f"“{text}”" in answer.one(".empty").text


@pytest.mark.parametrize("path", PLACES)
def test_a_search_that_is_too_long_is_an_error_of_the_field(ann, bob, path):
    make_message(bob.user, ann.user)
    answer = ann.get(path, query_string={"q": "x" * 201})
    assert answer.status_code == 422
    assert "at most 200 characters" in answer.one("#q-error").text
    field = answer.one("#q")
    assert (field["aria-invalid"], field["aria-describedby"], field["value"]) == ("true", "q-error", "x" * 201)


@pytest.mark.parametrize("path", PLACES)
def test_where_many_search_the_next_one_is_told_and_asked_to_try_again(ann, bob, path):
    """They never take all threads: two search, two wait, and whoever comes then has an answer at once."""
    make_message(bob.user, ann.user, "hello")
    make_post(ann.user, "hello")
    with taken(search_places):
        answer = ann.get(path + "?q=hello")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "Many people are searching" in answer.one("#q-error").text
        assert answer.one("#q")["value"] == "hello"
        assert words(answer.one(".empty p")) == "Search again in a moment."
        assert ann.get(path).status_code == 200, "which searches for nothing"
    assert ann.get(path + "?q=hello").status_code == 200


def test_who_waits_for_a_search_to_end_finds(monkeypatch, ann):
    make_post(ann.user, "hello")
    with ExitStack() as searches:
        searches.enter_context(taken(search_places, queued=0))
        monkeypatch.setattr(search_places, "within", 0.01)
        assert ann.get("/?q=hello").status_code == 503, "none has ended"
        monkeypatch.setattr(search_places, "within", 10)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ann.get, "/?q=hello")
            until(lambda: search_places._free_or_queued._value < search_places.queued)
            searches.close()
            assert waiting.result().status_code == 200


@pytest.mark.parametrize("path", PLACES)
def test_an_empty_search_is_none(ann, path):
    assert ann.get(path + "?q=+").words == ann.get(path).words


def test_an_empty_list_has_no_search_form(ann):
    for path in PLACES:
        assert not ann.get(path).page.select("input[type=search]")


def test_a_message_found_leads_to_its_place_in_the_conversation(ann, bob):
    for number in range(50):
        make_message(ann.user, bob.user, "the needle" if number == 7 else f"Message {number}")
    [link] = ann.get("/messages?q=need").page.select(".found a")
    assert words(link.select_one(".excerpt")) == "You: the needle"
    path, _, anchor = link["href"].partition("#")
    page = ann.get(path)
    assert "the needle" in page.one(f"#thread #{anchor}").text
    assert page.one('#thread a[href="/messages/bob#composer"]')


def test_messages_between_others_are_never_found(ann, bob):
    make_message(bob.user, make_user("carl"), "a secret")
    make_message(ann.user, bob.user, "no secret")
    found = ann.get("/messages?q=secret")
    assert words(found.one(".found .excerpt")) == "You: no secret"
    assert "carl" not in found.text


def test_messages_found_have_pages(ann, bob):
    for number in range(25):
        make_message(ann.user, bob.user, f"Message {number}")
    first = ann.get("/messages?q=message")
    second = ann.get(first.one('a[rel="next"]')["href"])
    assert [len(page.page.select(".found li")) for page in (first, second)] == [20, 5]


def test_a_profile_that_is_searched_still_shows_whose_it_is(ann):
    make_posts(ann.user, 2)
    page = ann.get("/people/ann?q=post")
    assert page.one("h1").text == "ann"
    assert page.one("input[type=search]")["placeholder"] == "Search your posts"
