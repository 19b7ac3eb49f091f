"""Where to send people next: never out of this site."""

from urllib.parse import urlsplit

from flask import request


def inside(url: str | None) -> str | None:
    """The url if it is a path of this site, else None."""
    # Browsers read a backslash as a slash, and so //evil.example in /\\evil.example.
    if not url or not url.startswith("/") or url[1:2] in {"/", "\\"} or not url.isprintable():
        return None
    return url


def back(default: str) -> str:
    """The page of this site on which the button was pressed, or `default`."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host:
        return default
    return inside(f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path) or default
