"""What holds for every request to the API, also where there is no operation: no redirects, and headers fit for JSON."""

from typing import Final

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from webapp.web.api import rate_limits
from webapp.web.api.deprecation import deprecation_headers
from webapp.web.api.operation import OPERATIONS
from webapp.web.api_paths import is_api_path
from webapp.web.security import CSP_HEADER, REFERRER_HEADER

POLICY: Final = "default-src 'none'; frame-ancestors 'none'"  # opened in a browser, it can run and load nothing
HEADERS: Final = {"Cache-Control": "private, no-cache", CSP_HEADER: POLICY, REFERRER_HEADER: "no-referrer"}


def init_app(app: Flask) -> None:
    """Hold an app to this. To be called after what refuses a request altogether, and after `security`."""
    rate_limits.init_app(app)
    app.before_request(_answer_without_operation)
    app.after_request(_add_headers)


def _answer_without_operation() -> Response | None:
    if not is_api_path(request.path):
        return None
    if isinstance(request.routing_exception, RequestRedirect):
        raise NotFound  # programs that follow it would do so with each request
    if request.method == "OPTIONS" and request.url_rule:
        response = current_app.make_default_options_response()
        response.status_code = 204
        return response
    return None


def _add_headers(response: Response) -> Response:
    if is_api_path(request.path):
        for name, text in HEADERS.items():
            response.headers.setdefault(name, text)
        response.vary.add("Authorization")
        rate_limits.add_headers(response)
        if operation := OPERATIONS.get((request.endpoint or "").removeprefix("api.")):
            response.headers.update(deprecation_headers(operation))
        if response.status_code in {204, 304}:
            response.headers.pop("Content-Type", None)
    return response
