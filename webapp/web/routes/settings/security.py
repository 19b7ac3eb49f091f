"""The second factor of an account: whether there is one, turning it on, and turning it off."""

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.models import SecondFactor, User
from webapp.models.recovery_code import FEW
from webapp.models.second_factor import AlreadyOn, Demanded, WrongCode
from webapp.web.auth import signed_in_user
from webapp.web.code_attempts import counting_new_codes, remember_codes_of
from webapp.web.forms.second_factor import WRONG_CODE, SetupForm, TurnOffForm
from webapp.web.presenters.second_factor import Setup
from webapp.web.reauthentication import prove, reauthentication_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record
from webapp.web.shown_once import keep_codes


@bp.get("/security")
def show_security() -> ResponseReturnValue:
    """Whether there is a second factor, and how many recovery codes are left."""
    factor = SecondFactor(user := signed_in_user())
    left = factor.codes_left if user.has_second_factor else 0
    return render_template("settings/security.html", left=left, few=left <= FEW)


@bp.route("/security/second-factor", methods=["GET", "POST"])
@reauthentication_required
def set_up_second_factor() -> ResponseReturnValue:
    """Show a secret to be scanned by an app, and turn the second factor on with the first right code of that app."""
    user = signed_in_user()
    if user.is_guest:
        flash("Set a password first. Two-factor authentication then adds a code to it.")
        return redirect(url_for("settings.show", _anchor="keep"), 303)
    if user.has_second_factor:
        return _already_on()
    form = SetupForm(user)
    if form.validate_on_submit():
        try:
            return _turned_on(user, form)
        except AlreadyOn:
            return _already_on()
        except WrongCode:
            form.code.errors = [WRONG_CODE]
    setup = Setup(form.secret, user.username, current_app.config["SETTINGS"].app_name)
    page = render_template("settings/second_factor.html", form=form, setup=setup)
    return page, 422 if form.is_submitted() else 200


@bp.route("/security/second-factor/off", methods=["GET", "POST"])
def turn_off_second_factor() -> ResponseReturnValue:
    """Ask for the password and a code, whenever they were given last, and turn the second factor off."""
    user = signed_in_user()
    if not user.has_second_factor or user.role:
        return _cannot_turn_off(user)
    form = TurnOffForm(user)
    if form.validate_on_submit() and prove(form):
        try:
            SecondFactor(user).turn_off()
        except Demanded:
            return _cannot_turn_off(user)
        _end_others(user, form)
        keep_codes(user, [])
        record(Event.SECOND_FACTOR_OFF, user)
        flash("Two-factor authentication is off. Your password alone signs you in now.")
        return redirect(url_for("settings.show_security"), 303)
    page = render_template("settings/second_factor_off.html", form=form)
    return page, 422 if form.is_submitted() else 200


def _turned_on(user: User, form: SetupForm) -> ResponseReturnValue:
    with counting_new_codes(user):
        keep_codes(user, SecondFactor(user).turn_on(form.secret, form.code.data or ""))
    _end_others(user, form)
    remember_codes_of(user)
    record(Event.SECOND_FACTOR_ON, user)
    flash("Two-factor authentication is on. One thing is left: keep your recovery codes somewhere safe.")
    return redirect(url_for("settings.show_recovery_codes"), 303)


def _end_others(user: User, form: SetupForm | TurnOffForm) -> None:
    if form.end_others.data:
        SecondFactor(user).end_other_sessions()


def _already_on() -> ResponseReturnValue:
    flash("Two-factor authentication is on already.")
    return redirect(url_for("settings.show_security"), 303)


def _cannot_turn_off(user: User) -> ResponseReturnValue:
    if user.has_second_factor:
        flash(f"Your role, {user.role}, needs two-factor authentication, so it stays on.")
    else:
        flash("Two-factor authentication is off.")
    return redirect(url_for("settings.show_security"), 303)
