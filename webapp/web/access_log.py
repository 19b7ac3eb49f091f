"""The access log: a line for each page that somebody asked for, and an id by which all lines of a request are found.

Polls, static files and probes have no line of their own: they would be nearly all there is.
"""

import logging
import re
import time
from uuid import uuid4

from flask import Flask, Response, g, request

from webapp.lib import logs
from webapp.web.polling import POLLED

log = logging.getLogger("webapp.access")

BY_THEMSELVES = {*POLLED, "static", "health.healthz", "health.readyz"}  # what is asked for without a person
HEADER = "X-Request-ID"
GIVEN = re.compile(r"[A-Za-z0-9._-]{1,128}")
LONGEST_PATH = 300
SECRETS = {"token", "key"}  # what is in an address by these names lets in whoever has it


def init_app(app: Flask) -> None:
    """See to all requests of an app. To be called before anything else that does."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def _begin() -> None:
    """Take the id that a proxy has given the request, or one of its own."""
    given = request.headers.get(HEADER, "")
    g.request_id = given if GIVEN.fullmatch(given) else uuid4().hex
    g.begun = time.perf_counter()
    logs.unbind()
    logs.bind(request_id=g.request_id)


def _tell(response: Response) -> Response:
    if "request_id" not in g:
        return response  # it never came as far as to begin
    response.headers[HEADER] = g.request_id
    if request.endpoint not in BY_THEMSELVES and log.isEnabledFor(logging.INFO):
        milliseconds = round(1000 * (time.perf_counter() - g.begun))
        size = response.content_length
        parts = {"method": request.method, "path": _path(), "status": response.status_code}
        log.info("%s %s %d", *parts.values(), extra={"parts": parts, "fields": {"ms": milliseconds, "bytes": size}})
    return response


def _end(_: BaseException | None) -> None:
    logs.unbind()


def _path() -> str:
    """The path without its query, which may hold what somebody looks for, and without secrets."""
    path = request.path
    for name, value in (request.view_args or {}).items():
        if name in SECRETS and value:
            path = path.replace(str(value), "…")
    return logs.clean(path, LONGEST_PATH)
