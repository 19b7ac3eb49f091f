"""How the site is doing, at one look."""

from flask import render_template
from flask.typing import ResponseReturnValue

from webapp.web.routes.desk.blueprint import bp


@bp.get("")
def overview() -> ResponseReturnValue:
    """What waits and runs, and what is wrong."""
    return render_template("desk/overview.html")
