"""The home page: everyone's posts, and the place to write one."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.forms import PostForm
from webapp.models import Post, Task
from webapp.search_forms import SearchForm

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """Everyone's posts, or those that have the words of `?q=`, newest first; to a visitor also what this site is."""
    return show(PostForm())


def show(form: PostForm, status: int = 200) -> ResponseReturnValue:
    """The page with a composer in whatever state it is."""
    search = SearchForm(request.args)
    posts = search.page(Post.timeline(), request.args.get("before"))
    is_new = not search.arguments and current_user.is_authenticated and not Task.of(current_user).exists()
    page = render_template("home/index.html", form=form, posts=posts, search=search, is_new=is_new)
    return page, max(status, search.status)
