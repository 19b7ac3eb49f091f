"""Their user name, and another one in its place."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.times import clock_words, utcnow
from webapp.models import UsernameTaken, rename
from webapp.models.former_name import LEADS_ON
from webapp.models.rate_count import TooMany
from webapp.models.renaming import DAYS, MOST
from webapp.web.auth import signed_in_user
from webapp.web.forms.profile import UsernameForm
from webapp.web.reauthentication import reauthentication_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record

TOO_OFTEN = "You’ve changed your username {most} times in {days} days. You can change it again on {day}."


@bp.get("/username")
@reauthentication_required
def change_username() -> ResponseReturnValue:
    """The form for another name, filled in with the present one."""
    return _page(UsernameForm(username=signed_in_user().username))


@bp.post("/username")
@reauthentication_required
def update_username() -> ResponseReturnValue:
    """Take another name; what leads to the one before goes on leading here for a while."""
    user, form = signed_in_user(), UsernameForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    try:
        is_other = rename(user, form.username.data or "")
    except UsernameTaken as error:
        form.username.errors = [str(error)]
        return _page(form, 422)
    except TooMany as error:
        day = clock_words(utcnow() + timedelta(seconds=error.seconds_left), user.time_zone)
        form.username.errors = [TOO_OFTEN.format(most=MOST, days=DAYS, day=day)]
        return _page(form, 429, {"Retry-After": str(error.seconds_left)})
    if is_other:
        record(Event.USERNAME_CHANGED, user)
    flash(f"You’re {user.username} now." if is_other else f"You’re still {user.username}.")
    return redirect(url_for("settings.show"), 303)


def _page(form: UsernameForm, status: int = 200, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    shown = {"form": form, "lasts": LEADS_ON.days, "most": MOST, "days": DAYS}
    return render_template("settings/username.html", **shown), status, headers or {}
