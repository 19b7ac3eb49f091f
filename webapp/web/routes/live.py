"""The live part of every page."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required

from webapp.web.polling import FocusFallback, conditional_fragment
from webapp.web.presenters.tray import parse_page_shows

bp = Blueprint("live", __name__)


@bp.get("/live")
@login_required
def show() -> ResponseReturnValue:
    """The badge, the alerts and the status as partials; 304 after one query while nothing has changed."""
    on = request.args.get("on", "", type=parse_page_shows)
    title = request.args.get("title", "")[:200]
    fallback = FocusFallback("task-alerts", "Your tasks", level=2, title="tray-title")
    return conditional_fragment(lambda: render_template("live.html", page_shows=on, title=title), fallback)
