"""Over quota: the one place that makes the answer for somebody who is refused by a quota.

A form shows itself again, with the words where it has room for them, by `page`. Whatever else is refused goes through
the error handler to `answer`: what was typed comes back on a page from which it can be sent again, and a button, which
sends nothing, stays where it was.
"""

from flask import Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.models import OverQuota
from webapp.web import htmx
from webapp.web.form_recovery import recover_form
from webapp.web.presenters.error_page import error_for_htmx, error_page
from webapp.web.redirects import redirect_back
from webapp.web.security_log import Event, record

TITLE = "You’ve reached a limit"


def page(error: OverQuota, shown: ResponseReturnValue) -> Response:
    """A page that says so at a form, with the status of that and when to try again."""
    log(error)
    response = make_response(shown)
    response.status_code = error.status
    response.headers.update(headers(error))
    return response


def answer(error: OverQuota) -> ResponseReturnValue:
    """To a button or a form that cannot show it itself. Nothing that was typed is lost."""
    log(error)
    words = error.words()
    if htmx.is_htmx():
        return error_for_htmx(error.status, headers(error), words)
    if request.method != "POST" or recover_form(None):
        return error_page(error.status, TITLE, words, headers(error))
    flash(words)
    return redirect(redirect_back(url_for("home.index")), 303)


def headers(error: OverQuota) -> dict[str, str]:
    """When to try again, where it helps to wait."""
    return {} if error.seconds_left is None else {"Retry-After": str(error.seconds_left)}


def log(error: OverQuota) -> None:
    """Say in the security log who was refused by which quota."""
    user = current_user if current_user.is_authenticated else None
    record(Event.OVER_QUOTA, user, quota=error.quota.value, endpoint=request.endpoint)
