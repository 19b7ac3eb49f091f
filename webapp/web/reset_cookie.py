"""The reset cookie: the token of a link from a mail, between the link and the new password.

Not in the session, which outlives it, and which each page of somebody signed in looks at: this one ends with the token.
"""

from flask import current_app, request
from werkzeug import Response

COOKIE = "errand-reset"


def token() -> str:
    """The token that this browser has; empty if it has none."""
    return request.cookies.get(_name(), "")


def keep(response: Response, token: str, seconds: int) -> None:
    """Have the browser keep a token for so long."""
    # Lax: Strict would not follow the redirect of a link that was opened in a page of somebody's mail.
    response.set_cookie(_name(), token, max_age=seconds, secure=_is_secure(), httponly=True, samesite="Lax")


def forget(response: Response) -> None:
    """Have the browser drop the token that it has, if it has one."""
    if _name() in request.cookies:
        response.delete_cookie(_name(), secure=_is_secure(), httponly=True, samesite="Lax")


def _is_secure() -> bool:
    return bool(current_app.config["SESSION_COOKIE_SECURE"])


def _name() -> str:
    return f"__Host-{COOKIE}" if _is_secure() else COOKIE
