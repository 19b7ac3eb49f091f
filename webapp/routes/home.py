"""The home page: everyone's posts, and the place to write one."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.forms import PostForm
from webapp.models import Post
from webapp.paging import page

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """Everyone's posts, newest first; to a visitor also what this site is."""
    return show(PostForm())


def show(form: PostForm, status: int = 200) -> ResponseReturnValue:
    """The page with a composer in whatever state it is."""
    posts = page(Post.timeline(), request.args.get("before"))
    return render_template("home/index.html", form=form, posts=posts), status
