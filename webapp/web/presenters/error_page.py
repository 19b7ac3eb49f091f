"""The page of an error: what happened, what was typed, and where to go from here."""

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from peewee import PeeweeException

from webapp.db import readiness
from webapp.db.resilience import is_unavailable
from webapp.models import User
from webapp.web import htmx
from webapp.web.form_recovery import author_id, recover_form
from webapp.web.redirects import local_url, path_and_query, redirect_back

SIGNED_IN_SINCE = "You’ve signed in again since you opened it. Nothing has been sent."
EXPIRED = "You opened it too long ago. Nothing has been sent."
RENEWED = "You’ve signed in again. Please press the button once more."
OUTDATED = "This page is out of date. Copy what you’ve typed, then reload it."
# Where an error leads back to, by the first part of its URL.
SECTIONS = {
    "tasks": ("Tasks", "tasks.index"),
    "artifacts": ("Tasks", "tasks.index"),
    "messages": ("Messages", "messages.index"),
    "mail": ("Mail", "mail.show"),
    "notifications": ("Notifications", "notifications.index"),
    "settings": ("Settings", "settings.show"),
}


def error_page(
    code: int,
    title: str,
    advice: str | None,
    headers: dict[str, str],
    *,
    plain: bool = False,
    is_session_over: bool = False,
) -> ResponseReturnValue:
    """The page of an error, with what was typed.

    A `plain` one needs no database; any other becomes plain if the database does not answer. `is_session_over` says
    that the session is what is wrong.
    """
    try:
        sender = current_user if not plain and current_user.is_authenticated else None
        form = recover_form(sender.id if sender else None)
        if form:
            headers = headers | {"Cache-Control": "no-store"}
        if form and is_session_over:
            title, advice = _session_message(sender)
        ways = {} if form and code == 503 else _links(code)
        page = render_template(
            "errors/error.html", title=title, advice=advice, plain=plain, recovered=form, sender=sender, ways=ways
        )
        return page, code, headers
    except PeeweeException as error:
        if plain or not (is_unavailable(error) or readiness.lack_behind(error)):
            raise
        return error_page(code, title, advice, headers, plain=True)


def error_for_htmx(code: int, headers: dict[str, str], message: str) -> ResponseReturnValue:
    """The same for htmx, whose page stays: the message, if somebody pressed something or sent too much or too often."""
    if code == 401:
        return session_over_for_htmx(code)
    if code in {413, 429} or htmx.was_pressed():
        return render_template("errors/refused.html", words=message), code, headers
    return Response(status=code, headers=headers)


def session_over_for_htmx(code: int) -> ResponseReturnValue:
    """For a page whose session has ended. If its owner has signed in again, it gets a new token and goes on."""
    owner = htmx.page_owner()
    is_renewed = current_user.is_authenticated and owner == str(current_user.id)
    words = (RENEWED if is_renewed else "" if owner else OUTDATED) if htmx.was_pressed() else ""
    here = local_url(htmx.current_page())
    page = render_template("errors/session.html", is_renewed=is_renewed, here=here, words=words)
    headers = {"Cache-Control": "no-store"} | (htmx.renewal_headers() if is_renewed else {})
    return page, code, headers


def _session_message(sender: User | None) -> tuple[str, str]:
    """Why a form of an earlier session is refused, and what to do; `sender` is who is signed in now."""
    author = author_id()
    if not sender and (author or request.blueprint != "accounts"):
        return "You’re signed out", "Nothing has been sent. Sign in, then send it from here."
    if sender and author and author != sender.id:
        return "Someone else is signed in", f"You’re signed in as {sender.username} now. Nothing has been sent."
    return "This form has expired", SIGNED_IN_SINCE if sender else EXPIRED


def _links(code: int) -> dict[str, str]:
    """URLs to go on from an error, by their labels."""
    if request.method == "POST":
        page = redirect_back("")
        return {"Back to the page": page} if page else {}
    if code in {429, 500, 503} and (here := local_url(path_and_query(request.url))):
        return {"Try again": here}
    section, endpoint = SECTIONS.get(request.path.split("/")[1], ("", ""))
    return {section: url_for(endpoint)} if section else {}
