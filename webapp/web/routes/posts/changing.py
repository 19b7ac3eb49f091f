"""One post: its page, and what its author may do with it."""

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from webapp.models import Made, OverQuota, Post, Report
from webapp.web import over_quota
from webapp.web.auth import reader, signed_in_user
from webapp.web.forms.posts import EditPostForm
from webapp.web.idempotency import create_once, replay_response
from webapp.web.routes.posts.blueprint import bp

CHANGED = "You changed this post in another tab in the meantime. Save again to replace that."
LOOK_AGAIN = "This post has changed since you opened that page. Delete it if you still want to."
SAVED_ALREADY = "That was already saved."
DELETED_ALREADY = "That post was already deleted."


class _Changed(Exception):
    """The post was edited or deleted between its being read and written."""


@bp.get("/posts/<int:post_id>")
def show(post_id: int) -> ResponseReturnValue:
    """One post, for everybody."""
    post, user = find(post_id), reader()
    is_reported = user is not None and user.id != post.user_id and Report.is_open(user, post)
    return render_template("posts/show.html", post=post, is_reported=is_reported)


@bp.get("/posts/<int:post_id>/edit")
@login_required
def edit(post_id: int) -> ResponseReturnValue:
    """The form in which its author changes a post, or deletes it."""
    post = _find_own(post_id)
    return _page(post, EditPostForm(formdata=None, obj=post))


@bp.post("/posts/<int:post_id>")
@login_required
def update(post_id: int) -> ResponseReturnValue:
    """Save another text of a post, or show the form again with the text and what is wrong with it.

    Where the post has been changed in another tab, that is said first, and a second press replaces it.
    """
    if answer := replay_response(SAVED_ALREADY):
        return answer
    post, form = _find_own(post_id), EditPostForm()
    if not form.validate_on_submit():
        return _page(post, form), 422
    if form.version.data and form.version.data != post.version:
        return _page(post, form, CHANGED), 422

    def save() -> Made:
        if not post.edit(form.body.data):
            raise _Changed
        return Made(url_for("posts.show", post_id=post_id), "Saved.")

    try:
        return create_once(save, SAVED_ALREADY)
    except _Changed:
        return _page(_find_own(post_id), form, CHANGED), 422
    except OverQuota as error:
        form.body.errors = [error.words()]
        return over_quota.page(error, _page(post, form))


@bp.post("/posts/<int:post_id>/deletion")
@login_required
def remove(post_id: int) -> ResponseReturnValue:
    """Delete a post for good."""
    if answer := replay_response(DELETED_ALREADY):
        return answer
    post, form = _find_own(post_id), EditPostForm(formdata=None)
    if request.form.get("version", post.version) != post.version:
        form.body.data = post.body
        return _page(post, form, LOOK_AGAIN), 422

    def delete() -> Made:
        post.delete_instance()
        return Made(url_for("home.index"), "Post deleted.")

    return create_once(delete, DELETED_ALREADY)


def find(post_id: int) -> Post:
    """A post with its author; else 404."""
    return Post.with_author(post_id) or abort(404)


def _find_own(post_id: int) -> Post:
    """A post of whoever is signed in; else 404."""
    post = find(post_id)
    return post if post.user_id == signed_in_user().id else abort(404)


def _page(post: Post, form: EditPostForm, words: str = "") -> str:
    """The form; with `words` where the post is not what its page has shown, whose version it takes then."""
    if words:
        form.body.errors, form.version.data = [words], post.version
    return render_template("posts/edit.html", post=post, form=form, is_changed=bool(words))
