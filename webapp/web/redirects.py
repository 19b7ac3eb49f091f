"""Redirects, never out of this site."""

from urllib.parse import urlsplit

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed


def local_url(url: str | None) -> str | None:
    """The URL if it is a path of this site, else None."""
    # Browsers read a backslash as a slash, and so //evil.example in /\\evil.example.
    if not url or not url.startswith("/") or url[1:2] in {"/", "\\"} or not url.isprintable():
        return None
    return url


def redirect_to_next() -> ResponseReturnValue:
    """A redirect to the page that somebody wanted before they were asked to sign in; else to the home page."""
    return redirect(local_url(request.values.get("next")) or url_for("home.index"), 303)


def redirect_back(default: str) -> str:
    """The page of this site that the request came from, or `default`; also where that was the answer to a form, at an
    address that has no page of its own."""
    back = local_url(path_and_query(request.referrer, request.host))
    return back if back and _has_page(back) else default


def _has_page(url: str) -> bool:
    """Whether an address of this site answers GET by more than 405."""
    routes = current_app.create_url_adapter(request)
    try:
        if routes:
            routes.match(urlsplit(url).path, method="GET")
    except MethodNotAllowed:
        return False
    except HTTPException:
        return True  # whatever it is, it is what the browser showed
    return True


def path_and_query(url: str | None, host: str | None = None) -> str:
    """The path and query of a URL; empty if it is malformed, or not of that host."""
    try:
        parts = urlsplit(url or "")
    except ValueError:  # whoever sent it is no browser
        return ""
    if host is not None and parts.netloc != host:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
