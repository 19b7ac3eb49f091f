"""A forgotten password: a link by mail, and by the link a new one."""

from flask import current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug import Response
from werkzeug.exceptions import TooManyRequests

from webapp import mail
from webapp.models import User
from webapp.models.password_reset import PasswordReset
from webapp.models.reset_request import TooManyRequested, request_reset
from webapp.web import host_cookies
from webapp.web.auth import sign_out
from webapp.web.caching import clear_site_data
from webapp.web.clients import coarse_network
from webapp.web.forms.forgotten_password import ForgottenPasswordForm, NewPasswordForm
from webapp.web.known_browsers import knows_owner_of, remember_account
from webapp.web.rate_limits import PasswordAttempt, limiter
from webapp.web.routes.accounts.blueprint import bp
from webapp.web.routes.accounts.sign_in import SIGNS_IN_AS
from webapp.web.security import keep_secret
from webapp.web.security_log import Event, record

PER_NETWORK = "10 per minute; 30 per hour"
PER_COARSE_NETWORK = "100 per hour"  # an IPv6 network of a provider's customer has 65,536 of those that are counted
# The token of a link, until there is a new password. Not in the session: that outlives it, and each page reads it.
RESET_COOKIE = "errand-reset"
DRAINED_AFTER = 60  # seconds; by then the worker has found the accounts of hundreds of requests


@bp.route("/password/forgotten", methods=["GET", "POST"])
@limiter.limit(PER_NETWORK, methods=["POST"])
@limiter.limit(PER_COARSE_NETWORK, key_func=coarse_network, methods=["POST"])
def forgotten_password() -> ResponseReturnValue:
    """Ask for a link by mail. Whoever asks, and whether any account has the address: it is one answer, in one time."""
    is_offered = mail.is_configured() and bool(current_app.config["BASE_URL"])
    form = ForgottenPasswordForm()
    if form.validate_on_submit() and is_offered:
        try:
            request_reset(form.email.data, coarse_network(), is_theirs=knows_owner_of(form.email.data))
        except TooManyRequested:
            raise TooManyRequests(retry_after=DRAINED_AFTER) from None
        record(Event.RESET_REQUESTED)
        return redirect(url_for("accounts.forgotten_password", sent=1), 303)
    is_sent = "sent" in request.args and not form.is_submitted()
    page = render_template("accounts/forgotten_password.html", form=form, is_sent=is_sent, is_offered=is_offered)
    return page, 422 if form.is_submitted() else 200


@bp.route("/password/new", methods=["GET", "POST"])
def new_password() -> ResponseReturnValue:
    """Set a new password by the link from a mail, which leads to the address without its token.

    Opening the link changes nothing here, as programs that look at mails open them, too.
    """
    if request.method != "POST" and "token" in request.args:
        return keep_secret(_take_token())
    response = _new_password()
    response.headers["Cache-Control"] = "no-store"
    return response


def _take_token() -> Response:
    response = redirect(url_for("accounts.new_password"), 303)
    token = request.args["token"]
    if reset := _reset(token):
        host_cookies.keep(response, RESET_COOKIE, token, reset.seconds_left)
    else:
        host_cookies.forget(response, RESET_COOKIE)
    return response


def _new_password() -> Response:
    reset = _reset(host_cookies.read(RESET_COOKIE))
    if reset is None:
        return _page(None)
    form = NewPasswordForm(reset.user)
    if form.validate_on_submit():
        if reset.set_password(form.password.data):
            record(Event.PASSWORD_RESET, reset.user)
            remember_account(reset.user)  # or somebody else's guesses might keep them from signing in
            return _done(reset.user)
        if _was_set_by_first_press(reset.user, form.password.data):
            return _done(reset.user)
        reset = PasswordReset(reset.user, is_good=False, seconds_left=0)
    return _page(form if reset.is_good else None)


def _reset(token: str) -> PasswordReset | None:
    return PasswordReset.by_token(token, current_app.config["SECRET_KEYS"])


def _was_set_by_first_press(user: User, password: str) -> bool:
    """Whether the form came twice, and the password is set. It counts as an attempt, as it tells whether one is right.

    Raises TooManyRequests.
    """
    attempt = PasswordAttempt(user.username_key)
    is_set = User.get_by_id(user.id).has_password(password)
    if is_set:
        attempt.was_no_guess()
    return is_set


def _done(user: User) -> Response:
    """They sign in with it next, and by their second factor if they have one. Somebody else stays signed in."""
    if current_user.is_authenticated and current_user.id != user.id:
        flash(f"The new password of {user.username} is set. You’re still signed in as {current_user.username}.")
        response = redirect(url_for("home.index"), 303)
    else:
        if current_user.is_authenticated:
            sign_out()
        flash(f"Your new password is set. Sign in as {user.username} with it.")
        session[SIGNS_IN_AS] = user.username
        response = clear_site_data(redirect(url_for("accounts.login"), 303))
    host_cookies.forget(response, RESET_COOKIE)
    return response


def _page(form: NewPasswordForm | None) -> Response:
    page = render_template("accounts/new_password.html", form=form, owner=form and form.user)
    response = make_response(page, 422 if request.method == "POST" else 200)
    if form is None:
        host_cookies.forget(response, RESET_COOKIE)
    return response
