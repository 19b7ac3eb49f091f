"""What somebody gets who has proved that an account is theirs which is suspended: why, and no session."""

from flask import make_response, render_template
from flask.typing import ResponseReturnValue

from webapp.models import User
from webapp.web.presenters.suspension_words import suspended_words
from webapp.web.security_log import Event, record


def page(user: User) -> ResponseReturnValue:
    """The page that says so, with status 403. One query. Nobody else learns that an account is suspended by signing in:
    call it after all that the account asks for."""
    record(Event.SIGN_IN_OF_SUSPENDED, user)
    answer = make_response(render_template("accounts/suspended.html", words=suspended_words(user)), 403)
    answer.headers["Cache-Control"] = "no-store"
    return answer
