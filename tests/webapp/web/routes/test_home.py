"""Home says that there are new posts, and what time a post is of stays true however long the page is open."""

import re
from datetime import datetime, timedelta

import pytest

from webapp.dev.factories import make_post
from webapp.models import Post
from webapp.web.paging import PAGE_SIZE

HTMX = {"HX-Request": "true"}


def _ask(browser, page, **headers: str):
    return browser.get(page.one("#new-posts")["hx-get"], headers=HTMX | headers)


def _known(answer) -> dict[str, str]:
    return {"If-None-Match": answer.headers["ETag"]}


def test_home_says_how_many_posts_have_come_since(ann, bob):
    make_post(bob.user)
    home = ann.get("/")
    first = _ask(ann, home)
    assert first.text.strip() in home.text, "what the page shows is what the poll brings"
    assert not first.page.select("a")
    for words in ("1 new post", "2 new posts"):
        make_post(bob.user)
        answer = _ask(ann, home, **_known(first))
        link = answer.one("#new-posts[role=status] a")
        assert (answer.status_code, link.text, link["href"]) == (200, words, "/")
    assert _ask(ann, home, **_known(answer)).status_code == 304
    assert not _ask(ann, ann.get("/")).page.select("a")


def test_the_link_brings_the_list_alone(ann):
    make_post(body="Before")
    home = ann.get("/")
    make_post(body="After")
    link = _ask(ann, home).one("#new-posts a")
    assert link["hx-target"] == link["hx-select"] == "#timeline"
    news = ann.get(link["hx-get"], headers=HTMX).one("#timeline")
    assert "After" in news.text
    assert news.select_one("#new-posts"), "which goes on asking, from what is now the newest"
    assert not news.select("textarea, form"), "nothing that one types in is in it"


@pytest.mark.parametrize("number", [PAGE_SIZE, PAGE_SIZE + 1, PAGE_SIZE + 5])
def test_a_page_of_new_posts_is_counted_and_then_no_more_asked(ann, number):
    home = ann.get("/")
    for _ in range(number):
        make_post()
    element = _ask(ann, home).one("#new-posts")
    assert element.a.text == ("20 new posts" if number == PAGE_SIZE else "20+ new posts")
    assert element.has_attr("hx-trigger") == (number == PAGE_SIZE)


def test_of_posts_of_one_moment_those_after_the_newest_shown_are_new(ann):
    posts = [make_post() for _ in range(4)]
    Post.update(created_at=posts[1].created_at).execute()
    home = ann.get("/")
    Post.update(created_at=posts[1].created_at - timedelta(hours=1)).where(Post.id == make_post().id).execute()
    assert not _ask(ann, home).page.select("a"), "one from before, as imports bring them, is none"
    Post.update(created_at=posts[1].created_at).where(Post.id == make_post().id).execute()
    assert _ask(ann, home).one("a").text == "1 new post"


def test_to_ask_costs_one_query_and_no_write_however_many_there_are(ann, queries):
    make_post()
    home = ann.get("/")
    known = _known(_ask(ann, home))
    for status in (304, 200):
        with queries() as seen:
            answer = _ask(ann, home, **known)
        assert answer.status_code == status
        [query] = seen.get_queries()
        assert query.msg[0].startswith("SELECT")
        assert "Set-Cookie" not in answer.headers
        for _ in range(3):
            make_post()


@pytest.mark.parametrize("after", ["x", "x_1", "2026-11-21T09:30:00+02:00_1", f"2026-11-21T09:30:00_{'9' * 30}"])
def test_a_place_that_no_page_gave_out_is_refused(ann, after):
    assert ann.get("/_news", query_string={"after": after}, headers=HTMX).status_code == 400


def test_only_the_newest_posts_are_asked_about_and_only_for_who_is_signed_in(ann, visitor):
    for _ in range(PAGE_SIZE + 1):
        make_post(body="hello")
    older = ann.get("/").one("a[rel=next]")["href"]
    for browser, path in ((ann, older), (ann, "/?q=hello"), (visitor, "/")):
        assert not browser.get(path).page.select("#new-posts")


def test_a_time_is_told_so_that_it_stays_true(ann, visitor):
    post = make_post(ann.user)
    Post.update(created_at=datetime(2026, 11, 21, 9, 30)).execute()
    ann.user.time_zone = "Europe/Berlin"
    ann.user.save()
    for path in ("/", "/people/ann"):
        assert ann.get(path).one(f"#post-{post.id} time").text == "21 November 2026, 10:30"
        assert visitor.get(path).one(f"#post-{post.id} time").text == "21 November 2026, 09:30 UTC"
    for page in (ann.get("/"), visitor.get("/people/ann")):
        assert not re.search(r"\bago\b|just now", page.words)
