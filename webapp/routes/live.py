"""What every open page asks for every few seconds. It must cost next to nothing while nothing has changed."""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from webapp.models import User

bp = Blueprint("live", __name__)

# What is answered by `if_changed`, and so by `answer_unchanged` while nothing has changed.
POLLED = frozenset({"live.show", "tasks.list_fragment", "tasks.panel_fragment"})


def init_app(app: Flask) -> None:
    """Answer idle polls ahead of whatever else looks at requests; so call this before the extensions' init_app."""
    app.before_request(answer_unchanged)


def answer_unchanged() -> Response | None:
    """304 for a poll that would find what its browser has; None lets the request go its ordinary way.

    One small query and no write. It needs no other check: whoever has the version was shown the content.
    """
    if request.endpoint not in POLLED or not request.if_none_match:
        return None
    found = User.changes_of(session.get("_user_id", ""))
    if not found or not request.if_none_match.contains_weak(version := _version(*found)):
        return None
    return Response(status=304, headers=_headers(version))


@bp.get("/live")
@login_required
def show() -> ResponseReturnValue:
    """The live part of a page, as partials."""
    on = request.args.get("on", "")
    return if_changed(lambda: render_template("live.html", live_on=on))


def if_changed(render: Callable[[], str]) -> Response:
    """What `render` makes, tagged so that the next poll finds out by `answer_unchanged` whether it still holds.

    It goes by the user's `changes` and the release of the templates, so nothing that changes otherwise, such as the
    present time, may stand in a fragment answered by this. The version is that of before rendering: what changes
    meanwhile is asked for again.
    """
    version = _version(current_user.id, current_user.changes)
    return Response(render(), mimetype="text/html", headers=_headers(version))


def _version(user_id: int, changes: int) -> str:
    return f"{user_id}-{changes}-{current_app.config['RELEASE']}"


def _headers(version: str) -> dict[str, str]:
    return {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache", "Vary": "Cookie, HX-Request"}
