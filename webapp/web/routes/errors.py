"""Errors as people meet them: a page that says what happened and where to go, and the truth for a stale button."""

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from peewee import PeeweeException
from werkzeug.exceptions import HTTPException, TooManyRequests

from webapp.db import readiness
from webapp.db.resilience import away, is_unavailable
from webapp.lib.i18n import estimate
from webapp.models import AlreadyRunning, IllegalTransition, User
from webapp.web import htmx
from webapp.web.form_recovery import is_foreign, kept, writer
from webapp.web.presenters.task_messages import refused_words
from webapp.web.redirects import is_local, path_of, redirect_back
from webapp.web.request_guard import too_large_words

bp = Blueprint("errors", __name__)

TRY_AGAIN_AFTER = 5  # seconds
UNAVAILABLE = "Our database isn’t answering right now. Running tasks aren’t lost; they’ll continue once it’s back."
BEING_UPDATED = "This site is being set up or updated. It’ll be back as soon as that’s done, and nothing is lost."
SIGNED_IN_SINCE = "You’ve signed in again since you opened it. Nothing has been sent."
EXPIRED = "You opened it too long ago. Nothing has been sent."
RENEWED = "You’ve signed in again. Please press the button once more."
OUTDATED = "This page is out of date. Copy what you’ve typed, then reload it."
# Where the first part of an address leads back to, where what comes after it leads nowhere.
SECTIONS = {
    "tasks": ("Tasks", "tasks.index"),
    "artifacts": ("Tasks", "tasks.index"),
    "messages": ("Messages", "messages.index"),
    "mail": ("Mail", "mail.show"),
    "notifications": ("Notifications", "notifications.index"),
    "settings": ("Settings", "settings.show"),
}
WORDS = {
    400: ("Bad request", "Go back and try again."),
    401: ("Sign in first", "Sign in to see this page."),
    403: ("Not allowed", "You don’t have access to this page."),
    404: ("Page not found", "It may have been moved or deleted."),
    405: ("That doesn’t work this way", "Go back and use the buttons on the page."),
    410: ("This file has expired", "Files are kept for a few days. Run the task again to get a new one."),
    413: ("That’s too large", "Send less and try again."),
    415: ("Unsupported format", "Use the form on the page."),
    416: ("Part not found", "Start the download again."),
    429: ("Too many attempts", "Wait a minute, then try again."),
    500: ("Something went wrong on our side", "We’ve logged the error. Your tasks keep running."),
}


@bp.app_errorhandler(HTTPException)
def http_error(error: HTTPException) -> ResponseReturnValue:
    """A page in words, with what was typed. For htmx, which never swaps an error into a page, words at most."""
    code = error.code or 500
    if code < 400:
        return error
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}  # Allow, Retry-After
    title, advice = WORDS.get(code, (error.name, error.description))
    if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int):
        advice = f"Wait {estimate(error.retry_after)}, then try again."
    if code == 413:
        advice = too_large_words()
    if htmx.is_htmx():
        return _for_htmx(code, headers, f"{title}. {advice}")
    # After a 500 the database may be what is broken, and at another host nobody is known: such a page asks for neither.
    return _page(code, title, advice, headers, plain=code >= 500 or code == 421, has_ended=code == 401)


@bp.app_errorhandler(PeeweeException)
def database_error(error: PeeweeException) -> ResponseReturnValue:
    """503 in words while the database cannot be used, with what was typed, to be sent again by one button."""
    words = UNAVAILABLE
    if is_unavailable(error):
        away.failed(error)
    elif lack := readiness.lack_behind(error):
        readiness.lacking.failed(lack)
        words = BEING_UPDATED
    else:
        raise error
    headers = {"Retry-After": str(TRY_AGAIN_AFTER), "Cache-Control": "no-store"}
    if htmx.is_htmx():
        return _for_htmx(503, headers, f"{words} Please try again in a moment.")
    unsaved = " What you sent may not have been saved." if request.method == "POST" else ""
    return _page(503, "We’ll be right back", words + unsaved, headers, plain=True)


@bp.app_errorhandler(CSRFError)
def csrf_error(error: CSRFError) -> ResponseReturnValue:
    """A form from before the last sign-in or from another site. A page that htmx keeps open gets a new token."""
    if htmx.is_htmx():
        return _of_another_session(400)
    if is_foreign():
        return _page(400, "This form came from another site", "We don’t accept it, so nothing was changed.", {})
    return _page(400, "This form has expired", "Go back, reload the page, and try again.", {}, has_ended=True)


def _page(
    code: int, title: str, advice: str | None, headers: dict[str, str], plain: bool = False, has_ended: bool = False
) -> ResponseReturnValue:
    """The page of an error; without what it would have to ask the database for, where that does not answer.

    `has_ended` says that the session is what is wrong.
    """
    try:
        sender = current_user if not plain and current_user.is_authenticated else None
        form = kept(sender.id if sender else None)
        if form:
            headers = headers | {"Cache-Control": "no-store"}
        if form and has_ended:
            title, advice = _words_of_another_session(sender)
        ways = {} if form and code == 503 else _ways(code)
        page = render_template(
            "errors/error.html", title=title, advice=advice, plain=plain, kept=form, sender=sender, ways=ways
        )
        return page, code, headers
    except PeeweeException as error:
        if plain or not (is_unavailable(error) or readiness.lack_behind(error)):
            raise
        return _page(code, title, advice, headers, plain=True)


def _words_of_another_session(sender: User | None) -> tuple[str, str]:
    """Why a form is not taken whose session is another by now, and what to do; `sender` is who is signed in."""
    author = writer()
    if not sender and (author or request.blueprint != "accounts"):
        return "You’re signed out", "Nothing has been sent. Sign in, then send it from here."
    if sender and author and author != sender.id:
        return "Someone else is signed in", f"You’re signed in as {sender.username} now. Nothing has been sent."
    return "This form has expired", SIGNED_IN_SINCE if sender else EXPIRED


def _ways(code: int) -> dict[str, str]:
    """Where one may want to go from an error, by the words for it."""
    if request.method == "POST":
        page = redirect_back("")
        return {"Back to the page": page} if page else {}
    if code in {429, 500, 503} and (here := is_local(path_of(request.url))):
        return {"Try again": here}
    section, endpoint = SECTIONS.get(request.path.split("/")[1], ("", ""))
    return {section: url_for(endpoint)} if section else {}


def _for_htmx(code: int, headers: dict[str, str], words: str) -> ResponseReturnValue:
    """The words for who pressed something, or sent too much or too often; the page stays, with what is being typed."""
    if code == 401:
        return _of_another_session(code)
    if code in {413, 429} or htmx.was_pressed():
        return render_template("errors/refused.html", words=words), code, headers
    return Response(status=code, headers=headers)


def _of_another_session(code: int) -> ResponseReturnValue:
    """What a page is told whose session has ended. If its person has signed in again, it goes on with a new token."""
    owner = htmx.owner_of_page()
    is_renewed = current_user.is_authenticated and owner == str(current_user.id)
    words = (RENEWED if is_renewed else "" if owner else OUTDATED) if htmx.was_pressed() else ""
    here = is_local(htmx.current_page())
    page = render_template("errors/session.html", is_renewed=is_renewed, here=here, words=words)
    headers = {"Cache-Control": "no-store"} | (htmx.renewing() if is_renewed else {})
    return page, code, headers


@bp.app_errorhandler(IllegalTransition)
def illegal_transition(error: IllegalTransition) -> ResponseReturnValue:
    """A stale button: nothing happened, and the task is shown as it is now."""
    flash(refused_words(error.task))
    return htmx.answer(url_for("tasks.show", task_id=error.task.id))


@bp.app_errorhandler(AlreadyRunning)
def already_running(error: AlreadyRunning) -> ResponseReturnValue:
    """A second press: the first task goes on, and no other starts."""
    flash(f"“{error.task.title}” hasn’t finished yet, so no new task was started.")
    return htmx.answer(url_for("tasks.show", task_id=error.task.id))
