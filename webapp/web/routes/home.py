"""The home page: everyone's posts, and the place to write one."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.models import Post, Task
from webapp.web.auth import reader
from webapp.web.forms.posts import PostForm
from webapp.web.forms.search import SearchForm
from webapp.web.paging import PAGE_SIZE, Page, count_newer, cursor_of, cursor_of_place
from webapp.web.polling import conditional_public_fragment

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """Everyone's posts, or those that have the words of `?q=`, newest first; to a visitor also what this site is."""
    return show(PostForm())


@bp.get("/_news")
def news_fragment() -> ResponseReturnValue:
    """How many posts have come since those that a page shows, up to a page of them; one query, which knows nobody.

    Who blocks people asks for those that are `shown` to them, which takes one more.
    """
    after, is_shown = request.args.get("after"), "shown" in request.args
    user = reader() if is_shown else None
    number = count_newer(Post.shown_to(user) if user else Post.shown(), after, PAGE_SIZE + 1)
    shown = _news(after, number, is_shown)
    return conditional_public_fragment(str(number), lambda: render_template("home/_news.html", **shown))


def show(form: PostForm, status: int = 200) -> ResponseReturnValue:
    """The page with a composer in whatever state it is."""
    search, user = SearchForm(request.args), reader()
    posts = search.page(Post.timeline(), request.args.get("before"), reader=user)
    blocks = bool(user and user.blocks_since)
    is_new = not search.arguments and user is not None and not Task.of(user).exists()
    is_latest = not search.arguments and "before" not in request.args
    page = render_template(
        "home/index.html",
        form=form,
        posts=posts,
        search=search,
        is_new=is_new,
        is_latest=is_latest,
        **_news(_newest(posts, blocks), 0, blocks),
    )
    return page, max(status, search.status), search.headers


def _newest(posts: Page, blocks: bool) -> str | None:
    """The place of the newest post of a page; for who blocks people, of all: what is not shown need not be counted."""
    if blocks:
        place = Post.newest_place()
        return cursor_of_place(*place) if place else None
    return cursor_of(posts.items[0]) if posts.items else None


def _news(after: str | None, number: int, is_shown: bool) -> dict[str, Any]:
    return {"after": after, "number": number, "most": PAGE_SIZE, "shown": "1" if is_shown else None}
