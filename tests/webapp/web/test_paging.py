"""Pages by cursor: everything once, in order, whatever is written meanwhile."""

from datetime import datetime, timedelta

import pytest

from webapp.dev.factories import make_post, make_posts, make_user
from webapp.models import Post, User
from webapp.web.paging import PAGE_SIZE


def _walk(browser, path: str, at_each_page=lambda: None) -> list[str]:
    """The ids of all posts from page to page, as somebody reads who follows the links."""
    seen = []
    while path:
        page = browser.get(path)
        assert page.status_code == 200
        articles = page.page.select("article[id^=post-]")
        assert 0 < len(articles) <= PAGE_SIZE
        seen += [article["id"] for article in articles]
        following = page.page.select_one('a[rel="next"]')
        path = following and following["href"]
        at_each_page()
    return seen


def _ids() -> list[str]:
    return [f"post-{post.id}" for post in Post.timeline()]


@pytest.mark.parametrize("path", ["/", "/people/ann"])
@pytest.mark.parametrize("number", [1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE + 5])
def test_every_post_is_on_one_page(visitor, path, number):
    make_posts(make_user("ann"), number)
    assert _walk(visitor, path) == _ids()


def test_posts_of_the_same_moment_are_on_one_page_each(visitor):
    make_posts(make_user(), 2 * PAGE_SIZE + 5, created_at=datetime(2026, 1, 1))
    assert _walk(visitor, "/") == _ids()


def test_new_posts_move_nothing_on_the_pages_after(visitor):
    user = make_user()
    make_posts(user, 2 * PAGE_SIZE + 5)
    expected = _ids()
    assert _walk(visitor, "/", at_each_page=lambda: make_post(user)) == expected


def test_a_deleted_post_moves_nothing_on_the_pages_after(visitor):
    make_posts(make_user(), 2 * PAGE_SIZE)
    expected = _ids()
    path = visitor.get("/").one('a[rel="next"]')["href"]
    Post.delete().where(Post.id.in_([int(shown.removeprefix("post-")) for shown in expected[:PAGE_SIZE]])).execute()
    assert _walk(visitor, path) == expected[PAGE_SIZE:]


def test_a_profile_pages_through_its_own_posts_only(visitor):
    ann, bob = make_user("ann"), make_user("bob")
    for n in range(2 * PAGE_SIZE):
        make_post((ann, bob)[n % 2], created_at=datetime(2026, 1, 1) + timedelta(seconds=n // 4))
    assert _walk(visitor, "/people/ann") == [f"post-{post.id}" for post in Post.timeline(User.by_username("ann"))]


@pytest.mark.parametrize(
    "cursor",
    ["x", "_", "_7", "2026-01-01", "2026-01-01_x", "2026-13-01T00:00:00_7", "2026-01-01T00:00:00+00:00_7",
     "2026-01-01T00:00:00_' OR 1=1 --", "2026-01-01T00:00:00_99999999999999999999999"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/tasks"])
def test_a_cursor_that_no_page_gave_out_is_refused(ann, path, cursor):
    answer = ann.get(path, query_string={"before": cursor})
    assert answer.status_code == 400


def test_a_cursor_past_the_end_is_an_empty_page(visitor):
    make_post()
    answer = visitor.get("/", query_string={"before": "2000-01-01T00:00:00_1"})
    assert answer.status_code == 200
    assert not answer.page.select("article[id^=post-]")
