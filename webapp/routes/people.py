"""People's profiles."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from tasks.catalogue import CATALOGUE
from webapp.models import Post, User
from webapp.paging import page

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("/<username>")
def show(username: str) -> ResponseReturnValue:
    """Who somebody is, and what they wrote."""
    person = User.by_username(username) or abort(404)
    posts = page(Post.timeline(person), request.args.get("before"))
    return render_template("people/show.html", person=person, posts=posts, export=CATALOGUE["export_posts"])
