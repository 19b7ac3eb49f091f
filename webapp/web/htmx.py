"""The headers of htmx: the only module that reads or writes them (https://four.htmx.org/reference/)."""

from collections.abc import Mapping

from flask import Response, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from webapp.web.redirects import path_and_query

VARY = "Cookie, HX-Request"  # what an answer to a poll depends on
PAGE_OWNER_HEADER = "X-Page-Of"  # which account a page was shown to; base.html has all its requests say so
LIVE_EVENT = "live"  # what every polling element listens to, beside its timer
RENEWED_EVENT = "renewed"  # what elements listen to that send what is being typed: the page has a new token


def is_htmx() -> bool:
    """Whether htmx made this request, so that no whole page is wanted."""
    return request.headers.get("HX-Request") == "true"


def is_sent_by_htmx(environ: Mapping[str, object]) -> bool:
    """The same of a request that Flask has not seen."""
    return environ.get("HTTP_HX_REQUEST") == "true"


def was_pressed() -> bool:
    """Whether a button was pressed to make this request; else a timer or typing made it."""
    return request.headers.get("HX-Source", "").partition("#")[0] in {"button", "form"}


def respond(location: str, words: str = "", used_key: str = "", **closed: object) -> ResponseReturnValue:
    """Answer a finished action: a plain form is redirected to `location` with `words` flashed; htmx stays on its page.

    There every live element asks for its present state at once, which says what `words` would; other flashes are shown.
    The form gets a new key in place of `used_key`. `closed` tells flashes.html of an alert that was closed.
    """
    if not is_htmx():
        if words:
            flash(words)
        return redirect(location, 303)
    response = make_response(render_template("flashes.html", used_key=used_key, **closed))
    response.headers["HX-Trigger"] = LIVE_EVENT
    return response


def page_at(location: str, page: str) -> Response:
    """A page; if htmx swaps in parts of it, the browser shows `location` as its URL."""
    response = make_response(page)
    if is_htmx():
        response.headers["HX-Replace-Url"] = location
    return response


def go_to(location: str) -> Response:
    """An empty 401 on which htmx navigates to `location`, whichever element asked."""
    response = Response(status=401)
    response.headers["HX-Redirect"] = location
    response.headers["Cache-Control"] = "no-store"
    return response


def renewal_headers() -> dict[str, str]:
    """The header that has elements save again what is being typed, now that the page has a new token."""
    return {"HX-Trigger": RENEWED_EVENT}


def current_page() -> str:
    """The path and query of the page that made this htmx request; empty for other requests."""
    return path_and_query(request.headers.get("HX-Current-URL"))


def page_owner() -> str:
    """The id of the account that the page of this htmx request was shown to; empty for a visitor or a program."""
    return request.headers.get(PAGE_OWNER_HEADER, "") if is_htmx() else ""
