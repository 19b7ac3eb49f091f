"""Authentication: sessions, and the CSRF protection of forms."""

from flask import Blueprint, Flask, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import Unauthorized

from webapp.db.resilience import persistently
from webapp.lib import logs
from webapp.lib.times import utcnow
from webapp.models import Session, User
from webapp.models.session import new_key
from webapp.web import htmx
from webapp.web.access_log import AUTOMATIC_ENDPOINTS
from webapp.web.clients import browser, coarse_network
from webapp.web.form_recovery import may_resubmit, recover_form
from webapp.web.known_browsers import remember_account
from webapp.web.security_log import Event, record
from webapp.web.session_cookies import SESSION_KEY, key_in

# Endpoints that say nothing about whether a person is there.
NOT_A_VISIT = {*AUTOMATIC_ENDPOINTS, None}


class FormProtection(CSRFProtect):
    """Accepts a form from the session that its page was shown in, or a recovered form from a later one."""

    def protect(self, apply_exemptions: bool = False) -> None:
        """Raises CSRFError."""
        try:
            super().protect(apply_exemptions)
        except CSRFError:
            if not may_resubmit():
                raise
            g.csrf_valid = True


csrf = FormProtection()
login = LoginManager()
login.session_protection = None  # the session key in the cookie is signed; binding it to an address breaks on phones


def init_app(app: Flask) -> None:
    """Let people sign in, and refuse pages that were shown to somebody else."""
    login.init_app(app, add_context_processor=False)  # it would load the user even for a page that needs none
    app.before_request(refuse_pages_of_other_users)
    app.before_request(record_last_seen)


@login.user_loader
def _load_user(account_key: str) -> User | None:
    key = key_in(session)
    # Mostly a request's first query, and so the one that finds out whether the kept connection still lives.
    user = persistently(lambda: User.by_session_key(key) if key else User.by_account_key(account_key))
    if user and not key and request.endpoint not in NOT_A_VISIT:
        begin_session(user, is_proved=False)
        if not user.is_guest:
            remember_account(user)
    if user:
        logs.bind(user_id=user.id)
    return user


@login.unauthorized_handler
def _redirect_to_sign_in() -> ResponseReturnValue:
    if htmx.is_htmx():
        raise Unauthorized
    if request.method in {"GET", "HEAD"}:
        return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")), 303)
    if recover_form(None):
        raise Unauthorized
    flash("Sign in first, then try again.")
    return redirect(url_for("accounts.login"), 303)


def require_sign_in(blueprint: Blueprint) -> Blueprint:
    """Have every page of a blueprint ask for a sign-in; returns the blueprint."""
    blueprint.before_request(login_required(lambda: None))
    return blueprint


def signed_in_user() -> User:
    """Who is signed in, as a row to hand on. Only where a sign-in is required."""
    return current_user._get_current_object()


def reader() -> User | None:
    """Who is signed in, as a row; None for a visitor. For pages: `current_user` looks it up with each attribute."""
    return signed_in_user() if current_user.is_authenticated else None


def record_last_seen() -> None:
    """Record when a person was last seen: at most one write a minute, which never waits and may fail."""
    if request.endpoint not in NOT_A_VISIT and current_user.is_authenticated:
        current_user.seen(utcnow())


def refuse_pages_of_other_users() -> None:
    """Refuse htmx requests of a page that was shown to another account, whose session ended in another tab.

    Raises Unauthorized. A form without JavaScript is refused for its token.
    """
    owner = htmx.page_owner()
    if owner and not (current_user.is_authenticated and owner == str(current_user.id)):
        raise Unauthorized


def sign_in(user: User) -> None:
    """Start a session of this account in this browser, in place of any other, which is ended. Its key is new, so nobody
    can have put it into this browser before."""
    if replaced := current_user.is_authenticated and current_user.session:
        replaced.end()
    session.clear()
    login_user(user)
    logs.bind(user_id=user.id)
    begin_session(user)
    session.permanent = True


def begin_session(user: User, *, is_proved: bool = True) -> None:
    """Give the session of this browser its row; `is_proved` says whether they have just proved who they are."""
    session[SESSION_KEY] = key = new_key()
    user.session = Session.begin(user, key, browser=browser(), network=coarse_network(), is_proved=is_proved)


def renew_session(user: User) -> None:
    """Record that they have just proved who they are, and give the session of this browser another key.

    The pages that are open in it stay good. If the session was ended meanwhile, the next request finds that out.
    """
    key = new_key()
    if user.session and user.session.prove(key):
        session[SESSION_KEY] = key


def sign_out() -> None:
    """End this browser's session, for every copy of its cookie."""
    user = signed_in_user()
    if ours := user.session:
        ours.end()
    record(Event.SIGNED_OUT, user, session_id=ours and ours.id)
    logout_user()
    session.clear()
