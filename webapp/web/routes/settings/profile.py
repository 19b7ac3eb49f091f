"""Their profile, and their password."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.models import User
from webapp.models.password_reset import change_password
from webapp.web.auth import sign_in, signed_in_user
from webapp.web.forms.settings import PasswordForm, ProfileForm
from webapp.web.known_browsers import remember_account
from webapp.web.rate_limits import PasswordAttempt
from webapp.web.reauthentication import second_factor_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record

UNREACHED = "Your notification settings ask for email. You’ll get none until you add an email address."


@bp.get("")
def show() -> ResponseReturnValue:
    """Both forms, filled in with what is."""
    return _page(ProfileForm(obj=current_user), PasswordForm(current_user))


@bp.post("/profile")
def update_profile() -> ResponseReturnValue:
    """Change e-mail, about and time zone."""
    form = ProfileForm()
    if not form.validate_on_submit():
        return _page(form, PasswordForm(current_user, formdata=None), 422)
    user = signed_in_user()
    user.email, user.about, user.time_zone = form.email.data or "", form.about.data or "", form.time_zone.data
    user.save(only=[User.email, User.about, User.time_zone])
    User.count_change(user.id)  # what is polled shows times in the user's zone
    flash("Saved." if user.email or not user.wants_mail else f"Saved. {UNREACHED}")
    return redirect(url_for("settings.show"), 303)


@bp.post("/password")
@second_factor_required
def update_password() -> ResponseReturnValue:
    """Set a new password. It ends every other session of this account; for a guest it makes the account theirs."""
    user = signed_in_user()
    attempt = PasswordAttempt(user.username_key)
    form = PasswordForm(user)
    valid = form.validate_on_submit()
    if "current" in form.errors:
        record(Event.REAUTHENTICATION_FAILED, user)
    else:
        attempt.was_no_guess()
    if not valid:
        return _page(ProfileForm(formdata=None, obj=user), form, 422)
    change_password(user, form.password.data)
    record(Event.PASSWORD_CHANGED, user)
    sign_in(user)
    remember_account(user.username_key)
    flash("Password set. You’ve been signed out everywhere else.")
    return redirect(url_for("settings.show"), 303)


def _page(profile: ProfileForm, password: PasswordForm, status: int = 200) -> ResponseReturnValue:
    return render_template("settings/show.html", profile=profile, password=password), status
