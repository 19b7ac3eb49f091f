"""What goes wrong in a request to the API, as problems: each error that pages have a page for has a row here."""

from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException

from webapp.web.api.problems import (
    BAD_REQUEST,
    BY_STATUS,
    SERVER_ERROR,
    Problem,
)


def register(bp: Blueprint) -> None:
    """Have a blueprint answer with problems."""
    bp.errorhandler(Problem)(lambda problem: problem.response())
    bp.errorhandler(HTTPException)(http_problem)


def http_problem(error: HTTPException) -> Response:
    """What werkzeug and Flask refuse, or what broke."""
    code = error.code or 500
    kind = BY_STATUS.get(code, SERVER_ERROR if code >= 500 else BAD_REQUEST)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return Problem(kind, kind.title + ".", headers=headers).response()
