"""Errors as people meet them: a page that says what happened and where to go, and the truth for a stale button."""

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from peewee import PeeweeException
from werkzeug.exceptions import HTTPException, TooManyRequests

from webapp import htmx, readiness
from webapp.models import AlreadyRunning, IllegalMove
from webapp.navigation import inside
from webapp.resilience import away, is_unavailable
from webapp.task_words import refused_words
from webapp.times import duration_words

bp = Blueprint("errors", __name__)

TRY_AGAIN_AFTER = 5  # seconds
UNAVAILABLE = "Our database isn’t answering right now. Try that again in a moment."
WORDS = {
    400: ("That request made no sense", "Go back and try again."),
    401: ("Sign in first", "This page belongs to somebody."),
    403: ("That is not allowed", "This page is not for you."),
    404: ("There is nothing here", "It may have been moved or deleted, or it was never here."),
    405: ("That does not work this way", "Go back and use the page's own buttons."),
    410: ("That has expired", "What a task makes is kept for some days. Run the task again to have it anew."),
    413: ("That is too large", "Try again with less."),
    415: ("That cannot be read here", "Send it by the page's own form."),
    429: ("Too many tries", "Wait a minute, then try again."),
    500: ("Something went wrong on our side", "It was written to the log. What you started goes on."),
}


@bp.app_errorhandler(HTTPException)
def http_error(error: HTTPException) -> ResponseReturnValue:
    """A page in words, or the words alone for who pressed a button of htmx; nothing for what htmx asked by itself."""
    code = error.code or 500
    if code < 400:
        return error
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]  # Allow, Retry-After
    if htmx.is_htmx() and code == 413:
        flash(f"{WORDS[413][0]}. {WORDS[413][1]}")  # a form that was sent by htmx: its page is loaded anew, to say it
        return htmx.go_to(inside(htmx.current_page()) or url_for("home.index"))
    title, advice = WORDS.get(code, (error.name, error.description))
    if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int):
        advice = f"Wait {duration_words(error.retry_after)}, then try again."
    if htmx.is_htmx() and htmx.was_pressed():
        return htmx.refuse(f"{title}. {advice}", code, headers)
    if htmx.is_htmx():
        return Response(status=code, headers=headers)
    # After a 500 the database may be what is broken, and at another host nobody is known: such a page asks for neither.
    plain = code >= 500 or code == 421
    return _page(title, advice, plain), code, headers


def _page(title: str, advice: str | None, plain: bool = False) -> str:
    """The page of an error; without what it would have to ask the database for, where that does not answer."""
    try:
        return render_template("errors/error.html", title=title, advice=advice, plain=plain)
    except PeeweeException as error:
        if plain or not (is_unavailable(error) or readiness.lack_behind(error)):
            raise
        return _page(title, advice, plain=True)


@bp.app_errorhandler(PeeweeException)
def database_error(error: PeeweeException) -> ResponseReturnValue:
    """503 in words while the database cannot be used, with what was typed, to be sent again by one button."""
    lack = ""
    if is_unavailable(error):
        away.failed(error)
    elif lack := readiness.lack_behind(error):
        readiness.lacking.failed(lack)
    else:
        raise error
    headers = {"Retry-After": str(TRY_AGAIN_AFTER), "Cache-Control": "no-store"}
    if htmx.is_htmx() and htmx.was_pressed():
        return htmx.refuse(UNAVAILABLE, 503, headers.items())
    if htmx.is_htmx():
        return Response(status=503, headers=headers)
    here = inside(request.full_path) or url_for("home.index")
    return render_template("errors/unavailable.html", here=here, typed=_typed(), lack=lack, plain=True), 503, headers


def _typed() -> list[tuple[str, str]]:
    """The fields of the form that was sent, for it to be sent again; none if there is more to it, or a secret."""
    fields = list(request.form.items(multi=True))
    is_plain = not request.files and not any("password" in name for name, _ in fields)
    return fields if is_plain else []


@bp.app_errorhandler(CSRFError)
def csrf_error(error: CSRFError) -> ResponseReturnValue:
    """A form from before the last sign-in or from another site. A page that still polls is loaded anew."""
    if htmx.is_htmx():
        flash("This page was out of date. Try that again.")
        return htmx.go_to(inside(htmx.current_page()) or url_for("home.index"))
    title, advice = "This form has expired", "Go back, reload the page, and send it again."
    return _page(title, advice), 400


@bp.app_errorhandler(IllegalMove)
def illegal_move(error: IllegalMove) -> ResponseReturnValue:
    """A stale button: nothing happened, and the task is shown as it is now."""
    flash(refused_words(error.task))
    return htmx.answer(url_for("tasks.show", task_id=error.task.id))


@bp.app_errorhandler(AlreadyRunning)
def already_running(error: AlreadyRunning) -> ResponseReturnValue:
    """A second press: the first task goes on, and no other starts."""
    flash(f"“{error.task.title}” hasn’t ended yet, so nothing new was started.")
    return htmx.answer(url_for("tasks.show", task_id=error.task.id))
