"""Signing in and out."""

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.models import Deletion, User, username_key
from webapp.web.auth import sign_out
from webapp.web.caching import clear_site_data
from webapp.web.forms.accounts import LoginForm, RegisterForm
from webapp.web.half_sign_in import HalfSignIn
from webapp.web.rate_limits import PasswordAttempt
from webapp.web.redirects import local_url, redirect_back, redirect_to_next
from webapp.web.returning import come_in
from webapp.web.routes.accounts.blueprint import bp
from webapp.web.security_log import Event, record

SIGNS_IN_AS = "signs_in_as"  # in the session: whose new password was just set, to be filled in once
# What a sign-in is needed for, by the first part of the URL.
REASONS = {
    "tasks": "see your tasks",
    "artifacts": "get your file",
    "mail": "see your emails",
    "messages": "read your messages",
    "notifications": "see your notifications",
    "settings": "change your settings",
}


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Sign in. A wrong name and a wrong password are answered in the same words and in the same time."""
    if current_user.is_authenticated and request.method == "GET":
        return redirect_to_next()
    form = LoginForm()
    name = session.pop(SIGNS_IN_AS, "")
    if request.method == "GET":
        form.username.data = name
    if form.validate_on_submit() and not would_abandon_guest():
        if answer := sign_in_by_password(form):
            return answer
        form.password.errors = ["Wrong username or password."]
    reason = _reason(request.args.get("next"))
    return render_template("accounts/login.html", form=form, why=reason), 422 if form.is_submitted() else 200


@bp.get("/logout")
def stay_signed_in() -> ResponseReturnValue:
    """The URL of the question to a guest, opened without answering it: go home, still signed in."""
    return redirect_to_next()


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End this browser's session. A guest, who would lose the account by that, is asked first."""
    if would_abandon_guest():
        return render_template("accounts/leaving.html", stay=redirect_back(url_for("home.index"))), 422
    if current_user.is_authenticated:
        sign_out()
    flash("You’re signed out.")
    return clear_site_data(redirect(url_for("home.index"), 303))


def sign_in_by_password(form: LoginForm | RegisterForm) -> ResponseReturnValue | None:
    """Sign in to the account of that name and go on, or ask for its second factor, or whether it is to be kept; None if
    the password is wrong.

    Counts as an attempt; one by a former name that leads on counts as one by the present name, or whoever guesses would
    have twice as many. Raises TooManyRequests.
    """
    name, password = form.username.data, form.password.data
    leaving = Deletion.of_name(name)
    claimed = leaving.user if leaving else User.by_any_name(name)
    attempt = PasswordAttempt(claimed.username_key if claimed and not leaving else username_key(name))
    user = leaving.authenticate(password) if leaving else User.authenticate(name, password)
    if not user:  # never with what was typed as a name: that may be a password
        record(Event.SIGN_IN_FAILED, claimed)
        return None
    attempt.was_no_guess()
    if user.has_second_factor:
        HalfSignIn.begin(user)
        return redirect(url_for("accounts.login_code", next=local_url(request.values.get("next"))), 303)
    return come_in(user)


def would_abandon_guest() -> bool:
    """Whether a guest is about to lose their account, which has no password, and has not confirmed that."""
    return current_user.is_authenticated and current_user.is_guest and request.form.get("leave") != "yes"


def _reason(destination: str | None) -> str:
    """Why somebody was sent here, as a sentence; empty if they came by themselves."""
    part = (local_url(destination) or "/").split("?")[0].split("/")[1]
    return f"Sign in to {REASONS[part]}." if part in REASONS else ""
