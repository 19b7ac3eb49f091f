"""The access log: a line for each page that somebody asked for, and an id by which all lines of a request are found.

Polls, static files and probes have no line of their own: they would be nearly all there is.
"""

import logging
import re
import time
from collections.abc import MutableMapping
from secrets import token_hex
from typing import Any

from flask import Flask, Response, g, request

from webapp.lib import logs
from webapp.lib.token_text import PREFIX
from webapp.web.polling import POLLED_FRAGMENTS

log = logging.getLogger("webapp.access")

AUTOMATIC_ENDPOINTS = {
    *POLLED_FRAGMENTS,
    "static",
    "pictures.show",
    "health.healthz",
    "health.readyz",
    "metrics.show",
}  # what is asked for without a person
REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID_ENVIRON = "errand.request_id"  # where a request keeps it
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
MAX_PATH_LENGTH = 300
# What is in an address by these names lets in whoever has it.
SECRET_ARGUMENTS = {"token", "confirmation_token", "undo_token", "keep_token", "unsubscribe_token", "key"}
# What is signed, wherever it stands: an address that is not quite right, as with a slash too many, has no arguments.
SIGNED = re.compile(r"[\w-]{16,}(?:\.[\w-]+)*\.[\w-]{27,}", re.ASCII)


def init_app(app: Flask) -> None:
    """Log the requests of an app. To be called before anything else that looks at requests."""
    app.before_request(_begin_request)
    app.after_request(_log_request)
    app.teardown_request(_end_request)


def begin(environ: MutableMapping[str, Any]) -> str:
    """Take the request id that a proxy has set, or make one, for every line that this thread logs; returns it.

    A request that is begun again keeps its id.
    """
    request_id: str = environ.get(REQUEST_ID_ENVIRON) or environ.get("HTTP_X_REQUEST_ID", "")
    if not REQUEST_ID.fullmatch(request_id) or PREFIX in request_id:  # a secret in the wrong header is kept nowhere
        request_id = token_hex(16)
    environ[REQUEST_ID_ENVIRON] = request_id
    logs.unbind()
    logs.bind(request_id=request_id)
    return request_id


def _begin_request() -> None:
    g.request_id = begin(request.environ)
    g.begun = time.perf_counter()


def _log_request(response: Response) -> Response:
    if "request_id" not in g:
        return response  # refused before it got one
    response.headers[REQUEST_ID_HEADER] = g.request_id
    if request.endpoint not in AUTOMATIC_ENDPOINTS and log.isEnabledFor(logging.INFO):
        milliseconds = round(1000 * (time.perf_counter() - g.begun))
        size = response.content_length
        parts = {"method": request.method, "path": _path(), "status": response.status_code}
        log.info("%s %s %d", *parts.values(), extra={"parts": parts, "fields": {"ms": milliseconds, "bytes": size}})
    return response


def _end_request(_: BaseException | None) -> None:
    logs.unbind()


def _path() -> str:
    """The path without its query, which may hold what somebody looks for, and without secrets."""
    path = request.path
    for name, value in (request.view_args or {}).items():
        if name in SECRET_ARGUMENTS and value:
            path = path.replace(str(value), "…")
    return logs.clean(SIGNED.sub("…", path), MAX_PATH_LENGTH)
