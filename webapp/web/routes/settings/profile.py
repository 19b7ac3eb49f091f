"""Their profile, and their password; on one page with their address."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.mail.confirmation_links import can_send_links
from webapp.models import EmailChange, User
from webapp.models.password_reset import change_password
from webapp.web.auth import sign_in, signed_in_user
from webapp.web.code_attempts import remember_codes_of
from webapp.web.forms.settings import PasswordForm, ProfileForm
from webapp.web.known_browsers import remember_account
from webapp.web.rate_limits import PasswordAttempt
from webapp.web.reauthentication import is_recent, second_factor_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record

ASKS_ABOUT_SEEN = "asks_about_seen"
KEPT = "This account is yours to keep. Sign in as {username} with your new password, from anywhere."
ELSEWHERE = "Saved, but for your email address: change that here."


@bp.get("")
def show() -> ResponseReturnValue:
    """The address and both forms, filled in with what is."""
    return _page(ProfileForm(obj=current_user), PasswordForm(current_user))


@bp.post("/profile")
def update_profile() -> ResponseReturnValue:
    """Change about, time zone, and whether others learn when they were last seen, where the form asks about that.

    A page of the release before does not, and has the address, which is changed elsewhere.
    """
    form = ProfileForm()
    if not form.validate_on_submit():
        return _page(form, PasswordForm(current_user, formdata=None), 422)
    user = signed_in_user()
    user.about, user.time_zone = form.about.data or "", form.time_zone.data
    if ASKS_ABOUT_SEEN in request.form:  # a box that was not ticked is sent as little as one that was not there
        user.hides_seen = form.hides_seen.data
    user.save(only=[User.about, User.time_zone, User.hides_seen])
    User.count_change(user.id)  # what is polled shows times in the user's zone
    has_other_address = request.form.get("email", user.email).strip() != user.email
    flash(ELSEWHERE if has_other_address else "Saved.")
    return redirect(url_for("settings.change_email" if has_other_address else "settings.show"), 303)


@bp.get("/password")
@second_factor_required
def change_password_form() -> ResponseReturnValue:
    """The way to the form for who has a second factor: they have just proved who they are, and are asked no more."""
    return redirect(url_for("settings.show", _anchor="keep"), 303)


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
    was_guest = user.is_guest
    change_password(user, form.password.data)
    record(Event.PASSWORD_CHANGED, user)
    sign_in(user)
    remember_codes_of(user) if user.has_second_factor else remember_account(user)
    flash(KEPT.format(username=user.username) if was_guest else "Password set. You’ve been signed out everywhere else.")
    return redirect(url_for("settings.show"), 303)


def _page(profile: ProfileForm, password: PasswordForm, status: int = 200) -> ResponseReturnValue:
    user = signed_in_user()
    is_asked_first = user.has_second_factor and not is_recent()
    shown = {"pending": EmailChange.pending_of(user), "can_send": can_send_links(), "is_asked_first": is_asked_first}
    return render_template("settings/show.html", profile=profile, password=password, **shown), status
