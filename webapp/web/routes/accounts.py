"""Registering, signing in and out, and coming in as a guest."""

import logging

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from webapp.models import User, UsernameTaken, username_key
from webapp.web.auth import sign_in
from webapp.web.caching import forget
from webapp.web.forms.accounts import LoginForm, RegisterForm
from webapp.web.rate_limits import PasswordGuess, limiter
from webapp.web.redirects import is_local, redirect_back

log = logging.getLogger(__name__)

bp = Blueprint("accounts", __name__)

# What is behind the sign-in, by the first part of its address.
BEHIND_SIGN_IN = {
    "tasks": "see your tasks",
    "artifacts": "get your file",
    "mail": "see your mail",
    "messages": "read your messages",
    "notifications": "see your notifications",
    "settings": "change your settings",
}
NEW_ACCOUNTS = "60 per minute; 600 per hour"


def _home() -> ResponseReturnValue:
    return redirect(is_local(request.values.get("next")) or url_for("home.index"), 303)


def _is_leaving_for_good() -> bool:
    """Whether a guest is about to lose their account, which has no password, and has not said that they mean it."""
    return current_user.is_authenticated and current_user.is_guest and request.form.get("leave") != "yes"


def _signed_in_to(form: LoginForm | RegisterForm) -> bool:
    """Sign in, if that is an account's name and its password; a try counts as one. Raises TooManyRequests."""
    guess = PasswordGuess(username_key(form.username.data))
    user = User.authenticate(form.username.data, form.password.data)
    if user:
        guess.was_right(user)
        sign_in(user)
    else:
        _tell_failure(form.username.data)
    return user is not None


def _tell_failure(username: str) -> None:
    """Log who was not let in: never by what was typed, as that may be a password."""
    account = User.by_username(username)
    fields = {"account_id": account and account.id, "address": request.remote_addr}
    log.warning("A sign-in failed", extra={"fields": fields})


@bp.route("/register", methods=["GET", "POST"])
@limiter.limit(NEW_ACCOUNTS, methods=["POST"])
def register() -> ResponseReturnValue:
    """Make an account and sign in to it."""
    if current_user.is_authenticated and request.method == "GET":
        return _home()
    form = RegisterForm()
    if form.validate_on_submit() and not _is_leaving_for_good():
        try:
            user = User.register(form.username.data, form.password.data, form.email.data or "")
        except UsernameTaken as error:
            if _signed_in_to(form):  # a second press, or the answer to the first was lost
                return _home()
            form.username.errors = [str(error)]
        else:
            sign_in(user)
            flash(f"Welcome, {user.username}.")
            return _home()
    elif form.is_submitted() and not form.username.errors:
        form.username.errors = _why_not(form.username.data)  # told together with what else is wrong
    return render_template("accounts/register.html", form=form), 422 if form.is_submitted() else 200


def _why_not(username: str) -> list[str]:
    try:
        User.demand_free(username_key(username))
    except UsernameTaken as error:
        return [str(error)]
    return []


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Sign in. The same words for a wrong name and a wrong password, and the same time."""
    if current_user.is_authenticated and request.method == "GET":
        return _home()
    form = LoginForm()
    if form.validate_on_submit() and not _is_leaving_for_good():
        if _signed_in_to(form):
            return _home()
        form.password.errors = ["That user name and password do not belong together."]
    why = _why_sign_in(request.args.get("next"))
    return render_template("accounts/login.html", form=form, why=why), 422 if form.is_submitted() else 200


def _why_sign_in(wanted: str | None) -> str:
    """For what somebody has been sent here, in words; empty if they came by themselves."""
    part = (is_local(wanted) or "/").split("?")[0].split("/")[1]
    return f"Sign in to {BEHIND_SIGN_IN[part]}." if part in BEHIND_SIGN_IN else ""


@bp.get("/logout")
def stay() -> ResponseReturnValue:
    """Whoever comes back to the address of the question has not answered it: they stay."""
    return _home()


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End this browser's session. A guest, who would lose the account by that, is asked first."""
    if _is_leaving_for_good():
        return render_template("accounts/leaving.html", stay=redirect_back(url_for("home.index"))), 422
    logout_user()
    session.clear()
    flash("You are signed out.")
    return forget(redirect(url_for("home.index"), 303))


@bp.post("/guest")
@limiter.limit(NEW_ACCOUNTS)
def guest() -> ResponseReturnValue:
    """Make an account with a random name and sign in to it. Whoever is signed in already stays who they are."""
    if not current_app.config["SETTINGS"].allow_guests:
        abort(404)
    if not current_user.is_authenticated:
        user = User.register_guest()
        sign_in(user)
        keep = "Set a password in your settings to keep this account, and your time zone: until then it is UTC."
        flash(f"Welcome. You are {user.username} here. {keep}")
    return _home()
