"""How the site is doing, at one look."""

from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.models.statistics import Range
from webapp.web.polling import conditional_public_fragment
from webapp.web.presenters.desk.overview import Overview
from webapp.web.routes.desk.blueprint import bp


@bp.get("")
def overview() -> ResponseReturnValue:
    """What waits and runs, what is wrong, and how that was in the `range` of the URL, the last hour or longer."""
    return render_template("desk/overview/show.html", **_shown())


@bp.get("/_overview")
def overview_fragment() -> ResponseReturnValue:
    """The same as a fragment, which is asked for while the range is live. Unchanged, it costs some small queries."""
    shown = _shown()
    version = f"{current_user.id}-{current_user.changes}-{shown['overview'].version}"
    return conditional_public_fragment(version, lambda: render_template("desk/overview/_overview.html", **shown))


def _shown() -> dict[str, Any]:
    try:
        which = Range(request.args.get("range", Range.HOUR))
    except ValueError:
        abort(404)
    return {"overview": Overview(which, current_user.time_zone), "ranges": RANGES}


RANGES = {Range.HOUR: "1 hour", Range.DAY: "24 hours", Range.WEEK: "7 days", Range.MONTH: "30 days"}
