"""What developers read about the API: how to begin, the reference, and what each problem means. For everybody."""

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, abort, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.models.idempotency_key import KEEP
from webapp.models.scopes import SCOPES
from webapp.web.api import deprecation, idempotency, waiting
from webapp.web.api.json_body import LARGEST
from webapp.web.api.pages import MOST, USUAL
from webapp.web.api.problems import PROBLEM_TYPES
from webapp.web.auth import reader
from webapp.web.presenters import api_reference, api_start

# The numbers that the rules name.
RULES: Final = {
    "json": LARGEST,
    "usual": USUAL,
    "most": MOST,
    "wait": waiting.MOST,
    "notice": deprecation.NOTICE.days,
    "key": idempotency.LONGEST,
    "kept": KEEP // timedelta(hours=1),
}

bp = Blueprint("developers", __name__, url_prefix="/developers")


@bp.get("")
def index() -> ResponseReturnValue:
    """How to begin, all operations in short, scopes, and the rules for all of them."""
    server = _server()
    scripts = {"shell": api_start.shell_script(server), "python": api_start.python_script(server)}
    scripts["tokens_url"] = url_for("settings.show_tokens")
    said = {"scopes": SCOPES, "rules": RULES, "server": server}
    return _page("index", nouns=api_reference.nouns(), **said, **scripts)


@bp.get("/<tag>")
def show(tag: str) -> ResponseReturnValue:
    """All operations about one noun."""
    noun = api_reference.noun_of(tag)
    if noun is None:
        abort(404)
    return _page("noun", noun=noun, entries=noun.entries(_server()), members_of=api_reference.members_of_resource)


@bp.get("/problems")
def list_problems() -> ResponseReturnValue:
    """All that a request may be refused for."""
    return _page("problems", problems=PROBLEM_TYPES)


@bp.get("/problems/<slug>")
def show_problem(slug: str) -> ResponseReturnValue:
    """What a problem means, and what to do about it: the page that its `type` is the address of."""
    problem = api_reference.problem_of(slug)
    if problem is None:
        abort(404)
    operations = api_reference.operations_with(problem)
    example = api_reference.example_problem(problem)
    return _page("problem", problem=problem, operations=operations, example=example)


def _page(name: str, **values: Any) -> ResponseReturnValue:
    """A page, with an ETag for visitors: to them it is the same until the next release."""
    response = make_response(render_template(f"developers/{name}.html", **values))
    if reader() is None:
        response.add_etag()
        response.headers["Cache-Control"] = "private, no-cache"
        response.vary.add("Cookie")
        response.make_conditional(request)
    return response


def _server() -> str:
    """The address of this site, as somebody would type it."""
    return str(current_app.config["BASE_URL"] or request.host_url).rstrip("/")
