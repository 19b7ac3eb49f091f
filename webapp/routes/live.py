"""What every open page asks for every few seconds. It must cost next to nothing while nothing has changed."""

from collections.abc import Callable

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

bp = Blueprint("live", __name__)


@bp.get("/live")
@login_required
def show() -> ResponseReturnValue:
    """The live part of a page, as partials; 304 after one query while nothing has changed."""
    on = request.args.get("on", "")
    return if_changed(lambda: render_template("live.html", live_on=on))


def if_changed(render: Callable[[], str]) -> Response:
    """What `render` makes, or 304 where the browser has what it would make.

    It goes by the user's `changes` and the release of the templates, so nothing that changes otherwise, such as the
    present time, may stand in a fragment answered by this.
    """
    version = f"{current_user.id}-{current_user.changes}-{current_app.config['RELEASE']}"
    if request.if_none_match.contains_weak(version):
        response = Response(status=304)
    else:
        response = Response(render(), mimetype="text/html")
    response.set_etag(version, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie, HX-Request"
    return response
