"""The system: release, schema, sizes, and settings without secrets."""

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from webapp.web.auth import signed_in_user
from webapp.web.presenters.desk.patience import Patience
from webapp.web.presenters.desk.settings import shown_settings
from webapp.web.presenters.desk.system import look_at_system
from webapp.web.presenters.tray import tray_for
from webapp.web.routes.desk.blueprint import bp


@bp.get("/system")
def system() -> ResponseReturnValue:
    """What runs here, on what, and how it is set up. What cannot be read within some seconds says so.

    While sessions or accounts cannot be read, nobody is known to be an operator: that is a 503 as everywhere.
    """
    settings, user, patience = current_app.config["SETTINGS"], signed_in_user(), Patience()
    tray = patience.read(lambda: tray_for(user))
    return render_template(
        "desk/system/show.html",
        tray_for=lambda *_: tray,
        system=look_at_system(settings, current_app.config["RELEASE"], patience),
        patience=patience,
        settings=shown_settings(settings),
        warnings=settings.warnings,
        zone=user.time_zone,
    )
