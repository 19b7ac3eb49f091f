"""People's profiles."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from tasks.catalogue import CATALOGUE
from webapp.models import Post
from webapp.web.forms.search import SearchForm
from webapp.web.people import find_person

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("/<username>")
def show(username: str) -> ResponseReturnValue:
    """Who somebody is, and what they wrote, or what of it has the words of `?q=`."""
    person = find_person(username)
    search = SearchForm(request.args)
    shown = {"posts": search.page(Post.timeline(person), request.args.get("before"), person), "search": search}
    page = render_template("people/show.html", person=person, export=CATALOGUE["export_posts"], **shown)
    return page, search.status, search.headers
