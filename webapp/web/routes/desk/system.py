"""The system: release, schema, sizes, and settings without secrets."""

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from webapp.web.auth import signed_in_user
from webapp.web.presenters.desk.settings import shown_settings
from webapp.web.presenters.desk.system import look_at_system
from webapp.web.routes.desk.blueprint import bp


@bp.get("/system")
def system() -> ResponseReturnValue:
    """What runs here, on what, and how it is set up."""
    settings = current_app.config["SETTINGS"]
    return render_template(
        "desk/system/show.html",
        system=look_at_system(settings, current_app.config["RELEASE"]),
        settings=shown_settings(settings),
        warnings=settings.warnings,
        zone=signed_in_user().time_zone,
    )
