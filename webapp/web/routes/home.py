"""The home page: everyone's posts, and the place to write one."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.models import Post, Task
from webapp.web.forms.posts import PostForm
from webapp.web.forms.search import SearchForm
from webapp.web.paging import PAGE_SIZE, count_newer, cursor_of
from webapp.web.polling import conditional_public_fragment

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """Everyone's posts, or those that have the words of `?q=`, newest first; to a visitor also what this site is."""
    return show(PostForm())


@bp.get("/_news")
def news_fragment() -> ResponseReturnValue:
    """How many posts have come since those that a page shows, up to a page of them; one query, which knows nobody."""
    after = request.args.get("after")
    number = count_newer(Post.select(), after, PAGE_SIZE + 1)
    return conditional_public_fragment(str(number), lambda: render_template("home/_news.html", **_news(after, number)))


def show(form: PostForm, status: int = 200) -> ResponseReturnValue:
    """The page with a composer in whatever state it is."""
    search = SearchForm(request.args)
    posts = search.page(Post.timeline(), request.args.get("before"))
    is_new = not search.arguments and current_user.is_authenticated and not Task.of(current_user).exists()
    page = render_template(
        "home/index.html",
        form=form,
        posts=posts,
        search=search,
        is_new=is_new,
        is_latest=not search.arguments and "before" not in request.args,
        **_news(cursor_of(posts.items[0]) if posts.items else None, 0),
    )
    return page, max(status, search.status), search.headers


def _news(after: str | None, number: int) -> dict[str, Any]:
    return {"after": after, "number": number, "most": PAGE_SIZE}
