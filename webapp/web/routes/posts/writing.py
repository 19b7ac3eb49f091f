"""Writing posts."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from webapp.models import Made, OverQuota, Post
from webapp.web import over_quota
from webapp.web.auth import signed_in_user
from webapp.web.forms.posts import PostForm
from webapp.web.idempotency import REPEATED_MESSAGE, create_once, needs_repeat_confirmation, replay_response
from webapp.web.routes import home
from webapp.web.routes.posts.blueprint import bp

POSTED_ALREADY = "You already posted that."


@bp.post("/posts")
@login_required
def create() -> ResponseReturnValue:
    """Publish a post, or show the composer again with the text and what is wrong with it."""
    if answer := replay_response(POSTED_ALREADY):
        return answer
    form = PostForm()
    if not form.validate_on_submit():
        return home.show(form, 422)
    if needs_repeat_confirmation(Post.last_by(current_user.id), form.body.data):
        form.is_repeated, form.body.errors = True, [REPEATED_MESSAGE]
        return home.show(form, 422)

    def post() -> Made:
        Post.write(signed_in_user(), form.body.data)
        return Made(url_for("home.index"), "Posted.")

    try:
        return create_once(post, POSTED_ALREADY)
    except OverQuota as error:
        form.body.errors = [error.words()]
        return over_quota.page(error, home.show(form))


@bp.post("/posts/count")
@login_required
def count() -> ResponseReturnValue:
    """How many characters the text so far has. The same count that publishing goes by; no query but the session's."""
    form = PostForm()
    return render_template("posts/_count.html", length=len(form.body.data or ""))
