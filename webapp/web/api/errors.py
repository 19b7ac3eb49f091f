"""What goes wrong in a request to the API, as problems. REFUSALS is the one table of it: whatever pages have an error
handler for has a row. What is of one noun alone is said by that noun’s operations."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, request
from peewee import PeeweeException
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from tasks.engine import InvalidArguments
from webapp.lib.i18n import estimate
from webapp.lib.json_types import Json
from webapp.models import AlreadyRunning, IllegalTransition, OverQuota, SecretsGone, Task
from webapp.models.passwords import HashingBusy
from webapp.models.search import SearchTooSlow
from webapp.models.search_places import TooManySearches
from webapp.models.steering import OwnerSuspended
from webapp.web import outages, over_quota
from webapp.web.api.problems import (
    ALREADY_RUNNING,
    BAD_REQUEST,
    BY_STATUS,
    ILLEGAL_TRANSITION,
    INVALID,
    OVER_QUOTA,
    QUOTA_EXCEEDED,
    SECRETS_GONE,
    SERVER_ERROR,
    UNAVAILABLE,
    Fault,
    Problem,
)
from webapp.web.api.resources.seen_task import see
from webapp.web.api_paths import ROOT
from webapp.web.auth import signed_in_user
from webapp.web.forms.search import TOO_MANY, TOO_SLOW
from webapp.web.presenters.task_messages import refused_message, secrets_gone_message
from webapp.web.request_guard import too_large_message
from webapp.web.security_log import Event, record

NO_SUCH_ADDRESS: Final = (
    f"There is no such address: see /developers. All begin with {ROOT}, and none ends with a slash."
)
WORDS: Final[Mapping[int, str]] = {
    400: "The request isn’t one that we can read.",
    404: "There is nothing at this address.",
    500: "It isn’t your request. We’ve logged the error.",
}


def register(bp: Blueprint) -> None:
    """Have a blueprint answer with problems; also where a request to the API is none of its operations'."""
    for kind, problem_of in REFUSALS.items():
        bp.errorhandler(kind)(_answering(problem_of))
    bp.app_errorhandler(Problem)(Problem.response)


def http_problem(error: HTTPException) -> Problem:
    """What werkzeug and Flask refuse, or what broke."""
    code = error.code or 500
    kind = BY_STATUS.get(code, SERVER_ERROR if code >= 500 else BAD_REQUEST)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}  # Allow, Retry-After
    if code == 429:
        record(Event.RATE_LIMITED, endpoint=request.endpoint)
    return Problem(kind, _words(error, code) or kind.title + ".", headers=headers)


def _words(error: HTTPException, code: int) -> str | None:
    if code == 413:
        return too_large_message()
    if code == 404 and isinstance(request.routing_exception, HTTPException):
        return NO_SUCH_ADDRESS
    if isinstance(error, MethodNotAllowed):
        return f"This address takes {', '.join(sorted(error.valid_methods or ()))}."
    if isinstance(seconds := getattr(error, "retry_after", None), int):
        return f"Try again in {estimate(seconds)}."
    is_ours = error.description != type(error).description
    return error.description if is_ours and code < 500 else WORDS.get(code)


def _unavailable(words: str) -> Problem:
    return Problem(UNAVAILABLE, words, headers=outages.HEADERS)


def _over_quota(error: OverQuota) -> Problem:
    over_quota.log(error)
    kind = OVER_QUOTA if error.seconds_left is None else QUOTA_EXCEEDED
    more: dict[str, Json] = {"quota": error.quota.value, "most": error.most}
    return Problem(kind, error.words(), headers=over_quota.headers(error), more=more)


def _already_running(error: AlreadyRunning) -> Problem:
    task = error.task
    words = f"“{task.title_words()}” hasn’t finished yet, so no new task was started."
    return Problem(ALREADY_RUNNING, words, more={"task": str(task.id)})


def _illegal_transition(error: IllegalTransition) -> Problem:
    task = error.task
    assert isinstance(task, Task)
    (seen,) = see(signed_in_user(), [task])
    more: dict[str, Json] = {"task": str(task.id), "state": str(task.state), "allowed": seen.actions}
    if isinstance(error, SecretsGone):
        return Problem(SECRETS_GONE, secrets_gone_message(task), more=more)
    words = "Its owner is suspended." if isinstance(error, OwnerSuspended) else refused_message(task)
    return Problem(ILLEGAL_TRANSITION, words, more=more)


def _invalid_arguments(error: InvalidArguments) -> Problem:
    faults = [Fault(words, pointer=f"/arguments/{path}") for path, words in error.errors.items()]
    return Problem(INVALID, "The task doesn’t take these arguments.", faults)


Refusal = Callable[[Any], Problem]
REFUSALS: Final[Mapping[type[Exception], Refusal]] = {
    Problem: lambda problem: problem,
    HTTPException: http_problem,
    PeeweeException: lambda error: _unavailable(outages.words_for(error)),
    HashingBusy: lambda _: _unavailable("Many people are signing in. Nothing has been changed."),
    OverQuota: _over_quota,
    AlreadyRunning: _already_running,
    IllegalTransition: _illegal_transition,
    InvalidArguments: _invalid_arguments,
    SearchTooSlow: lambda _: Problem(INVALID, TOO_SLOW, [Fault(TOO_SLOW, parameter="q")]),
    TooManySearches: lambda _: _unavailable(TOO_MANY),
}


def _answering(problem_of: Refusal) -> Callable[[Exception], Response]:
    return lambda error: problem_of(error).response()
