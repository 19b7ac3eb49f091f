"""Cookies of ours besides the session's: no script reads them, and over HTTPS no other host can set them."""

from flask import current_app, request
from werkzeug import Response


def read(name: str) -> str:
    """What this browser has by this name; empty if it has nothing."""
    return request.cookies.get(_full(name), "")


def keep(response: Response, name: str, text: str, seconds: int) -> None:
    """Have the browser keep a text for so long."""
    # Lax: Strict would not follow the redirect of a link that was opened in a page of somebody's mail.
    response.set_cookie(_full(name), text, max_age=seconds, secure=_is_secure(), httponly=True, samesite="Lax")


def forget(response: Response, name: str) -> None:
    """Have the browser drop what it has, if it has anything."""
    if _full(name) in request.cookies:
        response.delete_cookie(_full(name), secure=_is_secure(), httponly=True, samesite="Lax")


def _is_secure() -> bool:
    return bool(current_app.config["SESSION_COOKIE_SECURE"])


def _full(name: str) -> str:
    return f"__Host-{name}" if _is_secure() else name
