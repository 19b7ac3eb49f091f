"""Recovery codes: shown once, kept as a file or on paper, and replaced."""

from flask import Response, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.models import SecondFactor
from webapp.web.auth import signed_in_user
from webapp.web.code_attempts import counting_new_codes
from webapp.web.reauthentication import reauthentication_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record
from webapp.web.shown_once import keep_codes, kept_codes


@bp.get("/security/recovery-codes")
def show_recovery_codes() -> ResponseReturnValue:
    """Those that were just made, in the browser that made them, until they are said to be kept, or for a while."""
    codes = kept_codes(signed_in_user())
    if not codes:
        return redirect(url_for("settings.show_security"), 303)
    return render_template("settings/recovery_codes.html", codes=codes)


@bp.get("/security/recovery-codes.txt")
def download_recovery_codes() -> ResponseReturnValue:
    """The same as a text file."""
    user = signed_in_user()
    codes = kept_codes(user)
    if not codes:
        return redirect(url_for("settings.show_security"), 303)
    name = current_app.config["SETTINGS"].app_name
    lines = [f"Recovery codes of {user.username} at {name}. Each works once.", "", *codes]
    answer = Response("\r\n".join(lines) + "\r\n", mimetype="text/plain")
    answer.headers.set("Content-Disposition", "attachment", filename="recovery-codes.txt")
    return answer


@bp.post("/security/recovery-codes")
@reauthentication_required
def renew_recovery_codes() -> ResponseReturnValue:
    """Make new ones; the others are worth nothing from now on. Raises TooManyRequests."""
    user = signed_in_user()
    if not user.has_second_factor:
        flash("Two-factor authentication is off, so there are no recovery codes.")
        return redirect(url_for("settings.show_security"), 303)
    with counting_new_codes(user):
        keep_codes(user, SecondFactor(user).renew_codes())
    record(Event.RECOVERY_CODES_NEW, user)
    return redirect(url_for("settings.show_recovery_codes"), 303)


@bp.post("/security/recovery-codes/kept")
def forget_recovery_codes() -> ResponseReturnValue:
    """They are kept elsewhere now, and not shown again."""
    keep_codes(signed_in_user(), [])
    return redirect(url_for("settings.show_security"), 303)
