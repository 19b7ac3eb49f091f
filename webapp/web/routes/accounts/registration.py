"""New accounts: registered with a name and a password, or a guest's with neither."""

from flask import abort, current_app, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.models import OverQuota, User, UsernameTaken, username_key
from webapp.web import over_quota
from webapp.web.address_requests import request_first_address
from webapp.web.auth import sign_in
from webapp.web.clients import coarse_network
from webapp.web.forms.accounts import RegisterForm
from webapp.web.known_browsers import remember_account
from webapp.web.rate_limits import limiter, network_group
from webapp.web.redirects import redirect_to_next
from webapp.web.routes.accounts.blueprint import bp
from webapp.web.routes.accounts.sign_in import sign_in_by_password, would_abandon_guest
from webapp.web.security_log import Event, record

NEW_ACCOUNTS_LIMIT = "60 per minute; 600 per hour"


@bp.route("/register", methods=["GET", "POST"])
@limiter.limit(NEW_ACCOUNTS_LIMIT, methods=["POST"])
def register() -> ResponseReturnValue:
    """Make an account and sign in to it. The name and password of an existing account sign in to that."""
    if current_user.is_authenticated and request.method == "GET":
        return redirect_to_next()
    form = RegisterForm()
    if form.validate_on_submit() and not would_abandon_guest():
        try:
            if answer := _register(form):
                return answer
        except OverQuota as error:
            form.form_errors = [error.words()]
            return over_quota.page(error, render_template("accounts/register.html", form=form))
    elif form.is_submitted() and not form.username.errors:
        form.username.errors = _username_errors(form.username.data)  # told together with what else is wrong
    return render_template("accounts/register.html", form=form), 422 if form.is_submitted() else 200


@bp.post("/guest")
@limiter.limit(NEW_ACCOUNTS_LIMIT)
def guest() -> ResponseReturnValue:
    """Make an account with a random name and sign in to it. Somebody who is signed in keeps their account."""
    if not current_app.config["SETTINGS"].allow_guests:
        abort(404)
    if not current_user.is_authenticated:
        user = User.register_guest(network_group(), coarse_network())
        record(Event.ACCOUNT_CREATED, user, guest=1)
        sign_in(user)
        keep = "In Settings, set a password to keep this account, and choose your time zone (it’s UTC for now)."
        flash(f"Welcome! You’re {user.username}. {keep}")
    return redirect_to_next()


def _register(form: RegisterForm) -> ResponseReturnValue | None:
    """Sign in to a new account, or to their own if the form was sent twice, and go on; None if neither may be."""
    said = []

    def request_address(user: User) -> None:
        if form.email.data:
            said.append(request_first_address(user, form.email.data))

    try:
        user = User.register(form.username.data, form.password.data, request_address, coarse_network())
    except UsernameTaken as error:
        answer = sign_in_by_password(form)  # a second press, or the answer to the first was lost
        if answer is None:
            form.username.errors = [str(error)]
        return answer
    record(Event.ACCOUNT_CREATED, user, guest=0)
    sign_in(user)
    remember_account(user)
    flash(" ".join([f"Welcome, {user.username}.", *said]))
    return redirect_to_next()


def _username_errors(username: str) -> list[str]:
    try:
        User.demand_free(username_key(username))
    except UsernameTaken as error:
        return [str(error)]
    return []
