"""Polling: what every open page asks for every few seconds costs next to nothing while nothing has changed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.db.resilience import persistently
from webapp.models import User
from webapp.web import htmx
from webapp.web.session_cookies import key_in

ROW_PATTERN = re.compile(r' id="([^"]+)"[^<>]* data-row\b')

# The endpoints of polled fragments, with the endpoint of the page that each is a part of.
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
    "settings.picture_fragment": "settings.show_picture",
    "home.news_fragment": "home.index",
    "desk.tasks_fragment": "desk.tasks",
    "desk.task_fragment": "desk.task",
    "desk.overview_fragment": "desk.overview",
    "desk.workers_fragment": "desk.workers",
}
ASKED_ENVIRON = "errand.asked"  # where a request keeps what came of asking ahead of Flask: an exception, or None
# Their versions are of what they show: it is the same for everybody, or everybody's.
OF_ALL_FRAGMENTS = {"home.news_fragment"} | {name for name in POLLED_FRAGMENTS if name.startswith("desk.")}
PER_USER_FRAGMENTS = POLLED_FRAGMENTS.keys() - OF_ALL_FRAGMENTS


def init_app(app: Flask) -> None:
    """Answer polls before anything else looks at a request. To be called before what uses the session."""
    app.before_request(answer_not_modified)


def answer_not_modified() -> Response | None:
    """304 if a poll would get what its browser already has; None lets the request go its ordinary way.

    One small query and no write. Needs no permission check: who has the version was shown the content. Most polls are
    answered before they come here, by `webapp.web.unchanged`; those that it has asked about have news, or an error.
    """
    if request.endpoint not in PER_USER_FRAGMENTS or not request.if_none_match or _is_page_request():
        return None
    if was_asked_before():
        return None
    found = look_up(key_in(session) or "")
    if not found or not request.if_none_match.contains_weak(version := version_of(_release(), *found)):
        return None
    return Response(status=304, headers=headers_of(version))


def was_asked_before() -> bool:
    """Whether this poll was asked about ahead of Flask, and so has news. Raises what went wrong there."""
    if ASKED_ENVIRON not in request.environ:
        return False
    if error := request.environ.pop(ASKED_ENVIRON):
        raise error
    return True


def look_up(session_key: str) -> tuple[int, int] | None:
    """The id and `changes` of whom a session belongs to, or None: the one query of a poll. Raises PeeweeException."""
    return persistently(lambda: User.changes_of(session_key))


def version_of(release: str, user_id: int, changes: int) -> str:
    """What the ETag says: whatever somebody's fragments depend on."""
    return f"{user_id}-{changes}-{release}"


def headers_of(version: str) -> dict[str, str]:
    """The headers by which a browser keeps a fragment, and asks again whether it is still right."""
    return {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache", "Vary": htmx.VARY}


def is_page_request(endpoint: str, is_htmx: bool, accept: str) -> bool:
    """Whether a request for a fragment is no poll: a link opened in a new tab, or a redirect after signing in.

    Programs may ask for /live without htmx's headers, as it is documented; a browser that opens a page accepts HTML.
    """
    return not is_htmx and (endpoint != LIVE_ENDPOINT or "text/html" in accept)


@dataclass(frozen=True)
class FocusFallback:
    """Moves the focus to the title of a list when a poll removes the row that has it.

    `region` is the id of the element that contains the rows, which are elements with an id and data-row. The title is a
    heading of this level with these words; its id is `title`, or that of the region with -title.
    """

    region: str
    words: str
    level: int = 1
    title: str = ""

    def append_to(self, content: str) -> str:
        """The content of a poll, followed by what moves the focus if its row is not in that."""
        title, rows = self.title or f"{self.region}-title", ROW_PATTERN.findall(content)
        return content + render_template("focus_fallback.html", fallback=self, id=title, rows=rows)


def conditional_fragment(render: Callable[[], str], fallback: FocusFallback | None = None) -> ResponseReturnValue:
    """What `render` returns, with an ETag by which `answer_not_modified` answers the next poll.

    The ETag counts the changes of the user and the release, so a fragment may contain nothing that changes otherwise,
    such as the present time. It is that of before rendering: what changes meanwhile is asked for again. A list whose
    rows have buttons needs a `fallback` for the focus.

    Opened as a page, it redirects to the page that it is a part of, if there is something to show.
    """
    version = version_of(_release(), current_user.id, current_user.changes)
    content = render()
    if _is_page_request():
        return redirect(_url_of_page(POLLED_FRAGMENTS[request.endpoint or ""]), 303)
    return Response(
        fallback.append_to(content) if fallback else content, mimetype="text/html", headers=headers_of(version)
    )


def conditional_public_fragment(version: str, render: Callable[[], str]) -> ResponseReturnValue:
    """The same for a fragment that everybody sees alike; its ETag is made of `version` and the release."""
    version = f"{version}-{_release()}"
    if _is_page_request():
        return redirect(_url_of_page(POLLED_FRAGMENTS[request.endpoint or ""]), 303)
    if request.if_none_match.contains_weak(version):
        return Response(status=304, headers=headers_of(version))
    return Response(render(), mimetype="text/html", headers=headers_of(version))


def _is_page_request() -> bool:
    return is_page_request(request.endpoint or "", htmx.is_htmx(), request.headers.get("Accept", ""))


def _url_of_page(endpoint: str) -> str:
    """The URL of a page with the query of this request, copied as it is: its names are not arguments of Flask."""
    path, query = url_for(endpoint, **(request.view_args or {})), request.query_string.decode("ascii", "replace")
    return f"{path}?{query}" if query and request.endpoint != LIVE_ENDPOINT else path


def _release() -> str:
    release: str = current_app.config["RELEASE"]
    return release
