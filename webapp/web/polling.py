"""Polls: how what every open page asks for every few seconds costs next to nothing while nothing has changed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.db.resilience import persistently
from webapp.models import User
from webapp.web import htmx

ROW_PATTERN = re.compile(r' id="([^"]+)"[^<>]* data-row\b')

# What is answered by `conditional_fragment`, and so by `answer_not_modified` while nothing has changed, or by `conditional_public_fragment`; and what
# page it is of.
LIVE_ENDPOINT = "live.show"
POLLED_FRAGMENTS = {
    LIVE_ENDPOINT: "home.index",
    "tasks.list_fragment": "tasks.index",
    "tasks.panel_fragment": "tasks.show",
    "tasks.card_fragment": "tasks.show",
    "messages.inbox_fragment": "messages.index",
    "messages.thread_fragment": "messages.show",
    "notifications.list_fragment": "notifications.index",
    "mail.list_fragment": "mail.show",
    "home.news_fragment": "home.index",
}
PER_USER_FRAGMENTS = POLLED_FRAGMENTS.keys() - {"home.news_fragment"}  # which shows everybody the same


def init_app(app: Flask) -> None:
    """Answer polls before anything else looks at a request. To be called before what uses the session."""
    app.before_request(answer_not_modified)


def answer_not_modified() -> Response | None:
    """304 for a poll that would find what its browser has; None lets the request go its ordinary way.

    One small query and no write. It needs no other check: whoever has the version was shown the content.
    """
    if request.endpoint not in PER_USER_FRAGMENTS or not request.if_none_match or _is_page_request():
        return None
    key = session.get("_user_id", "")
    found = persistently(lambda: User.changes_of(key))
    if not found or not request.if_none_match.contains_weak(version := _version(*found)):
        return None
    return Response(status=304, headers=_headers(version))


@dataclass(frozen=True)
class FocusFallback:
    """What gets the focus that was in a row of a list when a poll brings the list without it: the list's title.

    `region` is the id of the element into which the rows are swapped: elements with an id and then data-row. The title
    is a heading of this level with these words, whose id is `title`, or the region's with -title.
    """

    region: str
    words: str
    level: int = 1
    title: str = ""

    def append_to(self, content: str) -> str:
        """What a poll brings, and what gives the title the focus of a row that is not in that."""
        title, rows = self.title or f"{self.region}-title", ROW_PATTERN.findall(content)
        return content + render_template("focus_fallback.html", fallback=self, id=title, rows=rows)


def conditional_fragment(render: Callable[[], str], fallback: FocusFallback | None = None) -> ResponseReturnValue:
    """What `render` makes, tagged so that the next poll finds out by `answer_not_modified` whether it still holds.

    It goes by the user's `changes` and the release of the templates, so nothing that changes otherwise, such as the
    present time, may stand in a fragment answered by this. The version is that of before rendering: what changes
    meanwhile is asked for again. A list of rows with something to press in them has an `fallback`.

    Whoever opens the fragment as a page is led to the page that it is a part of, if there is something to show.
    """
    version = _version(current_user.id, current_user.changes)
    content = render()
    if _is_page_request():
        return redirect(_url_of_page(POLLED_FRAGMENTS[request.endpoint or ""]), 303)
    return Response(
        fallback.append_to(content) if fallback else content, mimetype="text/html", headers=_headers(version)
    )


def conditional_public_fragment(version: str, render: Callable[[], str]) -> ResponseReturnValue:
    """The same for what everybody is shown: it goes by a version that the caller has asked for, and the release."""
    version = f"{version}-{current_app.config['RELEASE']}"
    if _is_page_request():
        return redirect(_url_of_page(POLLED_FRAGMENTS[request.endpoint or ""]), 303)
    if request.if_none_match.contains_weak(version):
        return Response(status=304, headers=_headers(version))
    return Response(render(), mimetype="text/html", headers=_headers(version))


def _is_page_request() -> bool:
    """Whether this is no poll: a link opened in a new tab, or the way back from a sign-in.

    A program may ask for /live, which is documented, without a word of htmx; a browser that opens a page wants HTML.
    """
    return not htmx.is_htmx() and (
        request.endpoint != LIVE_ENDPOINT or "text/html" in request.headers.get("Accept", "")
    )


def _url_of_page(endpoint: str) -> str:
    """The address of the page with the same query, which is written as it came: no name in it is one of Flask's."""
    path, query = url_for(endpoint, **(request.view_args or {})), request.query_string.decode("ascii", "replace")
    return f"{path}?{query}" if query and request.endpoint != LIVE_ENDPOINT else path


def _version(user_id: int, changes: int) -> str:
    return f"{user_id}-{changes}-{current_app.config['RELEASE']}"


def _headers(version: str) -> dict[str, str]:
    return {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache", "Vary": htmx.VARY}
