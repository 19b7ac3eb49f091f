"""Their data: a copy of everything that the site has about them."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from tasks.engine.config import config
from tasks.export_account import begin_export, export_account, latest_export
from tasks.lib.exported import about_how_large
from webapp.models import AlreadyRunning, OverQuota, User
from webapp.models.deletion import RETURN_WITHIN
from webapp.web import over_quota
from webapp.web.auth import signed_in_user
from webapp.web.presenters.task_pages import TaskPage, register
from webapp.web.presenters.tray import task_card
from webapp.web.reauthentication import reauthentication_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record

register(export_account, TaskPage(is_confidential=True))

STARTED = "We’re collecting your data. The file will be here when it’s ready; you can leave this page."
UNDER_WAY = "We’re already collecting your data. The file will be here when it’s ready."


@bp.get("/data")
def show_data() -> ResponseReturnValue:
    """What is in a copy of everything, how large it is about, and the latest one."""
    return _page(signed_in_user())


@bp.post("/data/export")
@reauthentication_required
def export_data() -> ResponseReturnValue:
    """Collect everything, and tell the account's address; while that is being done already, nothing more."""
    user = signed_in_user()
    try:
        begin_export(user)
    except AlreadyRunning:
        flash(UNDER_WAY)
    except OverQuota as error:
        return over_quota.page(error, _page(user, error.words()))
    else:
        record(Event.DATA_ASKED, user)
        flash(STARTED)
    return redirect(url_for("settings.show_data"), 303)


def _page(user: User, refusal: str = "") -> str:
    shown = {"size": about_how_large(user), "days": config().keep_artifacts.days, "refusal": refusal}
    shown |= {"days_to_return": RETURN_WITHIN.days}
    return render_template("settings/data.html", **shown, **task_card(latest_export(user)))
