"""Writing posts."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from webapp.forms import PostForm
from webapp.models import Post
from webapp.routes import home

bp = Blueprint("posts", __name__)


@bp.post("/posts")
@login_required
def create() -> ResponseReturnValue:
    """Publish a post, or show the composer again with the text and what is wrong with it."""
    form = PostForm()
    if not form.validate_on_submit():
        return home.show(form, 422)
    Post.create(user=current_user.id, body=form.body.data)
    flash("Posted.")
    return redirect(url_for("home.index"), 303)


@bp.post("/posts/count")
@login_required
def count() -> ResponseReturnValue:
    """How many characters the text so far has. The same count that publishing goes by; no query but the session's."""
    form = PostForm()
    return render_template("posts/_count.html", length=len(form.body.data or ""))
