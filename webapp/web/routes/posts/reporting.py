"""Reporting somebody else's post."""

from flask import abort, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from webapp.models import Post
from webapp.web import reporting
from webapp.web.auth import signed_in_user
from webapp.web.routes.posts.blueprint import bp
from webapp.web.routes.posts.changing import find


@bp.get("/posts/<int:others_id>/report")
@login_required
def new_report(others_id: int) -> ResponseReturnValue:
    """The form; for one's own posts there is none."""
    return reporting.show(_find_others(others_id), *_addresses(others_id))


@bp.post("/posts/<int:others_id>/report")
@login_required
def report(others_id: int) -> ResponseReturnValue:
    """Report a post to those who look after the site."""
    return reporting.create(_find_others(others_id), *_addresses(others_id))


def _find_others(post_id: int) -> Post:
    post = find(post_id)
    return abort(404) if post.user_id == signed_in_user().id else post


def _addresses(post_id: int) -> tuple[str, str]:
    """Of the post, and of the form."""
    return url_for("posts.show", post_id=post_id), url_for("posts.report", others_id=post_id)
