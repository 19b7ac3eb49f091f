"""Polls: how what every open page asks for every few seconds costs next to nothing while nothing has changed."""

from collections.abc import Callable

from flask import Response, current_app, request, session
from flask_login import current_user

from webapp import htmx
from webapp.models import User
from webapp.resilience import persistently

# What is answered by `if_changed`, and so by `answer_unchanged` while nothing has changed.
POLLED = frozenset(
    {
        "live.show",
        "tasks.list_fragment",
        "tasks.panel_fragment",
        "messages.inbox_fragment",
        "messages.thread_fragment",
        "notifications.list_fragment",
        "mail.list_fragment",
    }
)


def answer_unchanged() -> Response | None:
    """304 for a poll that would find what its browser has; None lets the request go its ordinary way.

    To be asked before anything else looks at a request. One small query and no write. It needs no other check:
    whoever has the version was shown the content.
    """
    if request.endpoint not in POLLED or not request.if_none_match:
        return None
    key = session.get("_user_id", "")
    found = persistently(lambda: User.changes_of(key))
    if not found or not request.if_none_match.contains_weak(version := _version(*found)):
        return None
    return Response(status=304, headers=_headers(version))


def if_changed(render: Callable[[], str]) -> Response:
    """What `render` makes, tagged so that the next poll finds out by `answer_unchanged` whether it still holds.

    It goes by the user's `changes` and the release of the templates, so nothing that changes otherwise, such as the
    present time, may stand in a fragment answered by this. The version is that of before rendering: what changes
    meanwhile is asked for again.
    """
    version = _version(current_user.id, current_user.changes)
    return Response(render(), mimetype="text/html", headers=_headers(version))


def _version(user_id: int, changes: int) -> str:
    return f"{user_id}-{changes}-{current_app.config['RELEASE']}"


def _headers(version: str) -> dict[str, str]:
    return {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache", "Vary": htmx.VARY}
