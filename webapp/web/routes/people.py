"""People's profiles."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from tasks.catalogue import CATALOGUE
from webapp.models import Block, Post, User, blocking
from webapp.web.auth import reader, signed_in_user
from webapp.web.forms.search import SearchForm
from webapp.web.people import find_other, find_person
from webapp.web.presenters.blocking_words import TOO_MANY
from webapp.web.redirects import redirect_back

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("/<username>")
def show(username: str) -> ResponseReturnValue:
    """Who somebody is, and what they wrote, or what of it has the words of `?q=`."""
    person = find_person(username)
    search = SearchForm(request.args)
    user, before = reader(), request.args.get("before")
    page = render_template(
        "people/show.html",
        person=person,
        export=CATALOGUE["export_posts"],
        posts=search.page(Post.timeline(person), before, person),
        search=search,
        is_blocked=user is not None and Block.is_by(user, person),
    )
    return page, search.status, search.headers


@bp.post("/<username>/block")
@login_required
def block(username: str) -> ResponseReturnValue:
    """Hear nothing of somebody any more. They are not told."""
    person = find_other(username)
    try:
        was_new = blocking.block(signed_in_user(), person)
    except blocking.TooManyBlocks:
        flash(TOO_MANY)
    else:
        flash(f"You blocked {person.username}." if was_new else f"You already blocked {person.username}.")
    return _back(person)


@bp.post("/<username>/unblock")
@login_required
def unblock(username: str) -> ResponseReturnValue:
    """Hear of somebody again."""
    person = find_other(username)
    was_blocked = blocking.unblock(signed_in_user(), person)
    flash(f"You unblocked {person.username}." if was_blocked else f"{person.username} wasn’t blocked.")
    return _back(person)


def _back(person: User) -> ResponseReturnValue:
    return redirect(redirect_back(url_for("people.show", username=person.username)), 303)
