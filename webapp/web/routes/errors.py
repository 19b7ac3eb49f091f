"""Error handlers: a page that says what happened and where to go, and the present state for a stale button."""

from flask import Blueprint, flash, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from peewee import PeeweeException
from werkzeug.exceptions import HTTPException, TooManyRequests

from tasks.catalogue import CATALOGUE
from webapp.lib.i18n import estimate
from webapp.models import AlreadyRunning, IllegalTransition, OverQuota, SecretsGone
from webapp.models.passwords import HashingBusy
from webapp.web import htmx, outages, over_quota
from webapp.web.api.errors import http_problem
from webapp.web.api_paths import is_api_path
from webapp.web.form_recovery import is_cross_site
from webapp.web.presenters.error_page import error_for_htmx, error_page, session_over_for_htmx
from webapp.web.presenters.task_messages import refused_message, secrets_gone_message
from webapp.web.request_guard import too_large_message
from webapp.web.security_log import Event, record

bp = Blueprint("errors", __name__)

BUSY = "Many people are signing in", "Nothing has been changed. Wait a few seconds, then send it again from here."
MESSAGES = {
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
    """A page with what was typed; for htmx, which never swaps an error into a page, at most a message."""
    code = error.code or 500
    if code < 400:
        return error
    if is_api_path(request.path):  # an address that is none of its operations'
        return http_problem(error).response()
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}  # Allow, Retry-After
    title, advice = MESSAGES.get(code, (error.name, error.description))
    if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int):
        advice = f"Wait {estimate(error.retry_after)}, then try again."
    if code == 413:
        advice = too_large_message()
    if code == 429:
        record(Event.RATE_LIMITED, endpoint=request.endpoint)
    if htmx.is_htmx():
        return error_for_htmx(code, headers, f"{title}. {advice}")
    # After a 500 the database may be what is broken, and at another host there is no session: such a page uses neither.
    return error_page(code, title, advice, headers, plain=code >= 500 or code == 421, is_session_over=code == 401)


@bp.app_errorhandler(PeeweeException)
def database_error(error: PeeweeException) -> ResponseReturnValue:
    """503 while the database cannot be used, with what was typed, to be sent again by one button."""
    words = outages.words_for(error)
    if htmx.is_htmx():
        return error_for_htmx(503, outages.HEADERS, f"{words} Please try again in a moment.")
    unsaved = " What you sent may not have been saved." if request.method == "POST" else ""
    return error_page(503, "We’ll be right back", words + unsaved, outages.HEADERS, plain=True)


@bp.app_errorhandler(HashingBusy)
def hashing_busy(error: HashingBusy) -> ResponseReturnValue:
    """503 where so many sign in, or choose a password, that this one was not looked at: it counts as no guess."""
    if attempt := g.pop("attempt", None):
        attempt.was_no_guess()
    if htmx.is_htmx():
        return error_for_htmx(503, outages.HEADERS, f"{BUSY[0]}. {BUSY[1]}")
    return error_page(503, *BUSY, outages.HEADERS)


@bp.app_errorhandler(OverQuota)
def beyond_quota(error: OverQuota) -> ResponseReturnValue:
    """More than a person may have or do, where no form says so itself."""
    return over_quota.answer(error)


@bp.app_errorhandler(CSRFError)
def csrf_error(error: CSRFError) -> ResponseReturnValue:
    """A form of an earlier session or from another site. A page that htmx keeps open gets a new token."""
    answer = _form_refused()
    # By now it is known who sent it, if anybody can say.
    record(Event.FORM_REFUSED, endpoint=request.endpoint, cross_site=int(is_cross_site()))
    return answer


def _form_refused() -> ResponseReturnValue:
    if htmx.is_htmx():
        return session_over_for_htmx(400)
    if is_cross_site():
        return error_page(400, "This form came from another site", "We don’t accept it, so nothing was changed.", {})
    advice = "Go back, reload the page, and try again."
    return error_page(400, "This form has expired", advice, {}, is_session_over=True)


@bp.app_errorhandler(IllegalTransition)
def illegal_transition(error: IllegalTransition) -> ResponseReturnValue:
    """A stale button: nothing happened, and the task is shown as it is now."""
    flash(refused_message(error.task))
    return htmx.respond(url_for("tasks.show", task_id=error.task.id))


@bp.app_errorhandler(SecretsGone)
def secrets_gone(error: SecretsGone) -> ResponseReturnValue:
    """What was entered in confidence is deleted with the end of a task: it is entered again, in the filled-in form."""
    task, function = error.task, CATALOGUE.get(error.task.name)
    has_form = function is not None and function.listed
    flash(secrets_gone_message(task))
    form = url_for("tasks.new", name=task.name, like=task.id) if has_form else ""
    return htmx.respond(form or url_for("tasks.show", task_id=task.id))


@bp.app_errorhandler(AlreadyRunning)
def already_running(error: AlreadyRunning) -> ResponseReturnValue:
    """A second press: the first task goes on, and no other starts."""
    flash(f"“{error.task.title_words()}” hasn’t finished yet, so no new task was started.")
    return htmx.respond(url_for("tasks.show", task_id=error.task.id))
