"""Who is asking: sign-in, and the protection of forms."""

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user
from flask_wtf import CSRFProtect

from webapp import htmx, logs
from webapp.access_log import BY_THEMSELVES
from webapp.models import User
from webapp.resilience import persistently
from webapp.times import utcnow

# What browsers ask for by themselves says nothing about whether a person is there.
UNSEEN = {*BY_THEMSELVES, None}

csrf = CSRFProtect()
login = LoginManager()


login.session_protection = None  # the session key in the cookie is signed; binding it to an address breaks on phones


@login.user_loader
def _load(session_key: str) -> User | None:
    # Mostly a request's first query, and so the one that finds out whether the kept connection still lives.
    user = persistently(lambda: User.by_session_key(session_key))
    if user:
        logs.bind(user_id=user.id)
    return user


@login.unauthorized_handler
def _ask_to_sign_in() -> ResponseReturnValue:
    if htmx.is_htmx():
        return htmx.go_to(url_for("accounts.login", next=htmx.current_page()))
    if request.method in {"GET", "HEAD"}:
        return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")), 303)
    flash("Sign in first, then try that again.")
    return redirect(url_for("accounts.login"), 303)


def remember_seen() -> None:
    """Keep a person's "last seen" fresh as they go from page to page; at most one write a minute, which waits for none.

    No page depends on it: where nothing can be written, the page is answered all the same.
    """
    if request.endpoint not in UNSEEN and current_user.is_authenticated:
        current_user.seen(utcnow())


def sign_in(user: User) -> None:
    """Begin a session of this account in this browser, in place of any other."""
    session.clear()
    login_user(user)
    logs.bind(user_id=user.id)
    session.permanent = True
