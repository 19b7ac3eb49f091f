"""What the server answers by itself: a page as gunicorn has it, or a problem where a program asked."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from gunicorn.util import write_error

from webapp.web.api_paths import is_api_path
from webapp.web.server.connection import Connection
from webapp.web.server.limits import RETRY_AFTER

PROBLEM: Final = """\
HTTP/1.1 {status} {reason}\r
Connection: close\r
Content-Type: application/problem+json\r
Cache-Control: no-store\r
X-Content-Type-Options: nosniff\r
{more}Content-Length: {length}\r
\r
"""
# With the slugs of webapp.web.api.problems; others have only their status to say.
SLUGS: Final = {400: "bad-request", 413: "too-large", 500: "server-error", 503: "unavailable"}


def refuse(connection: Connection, status: int, reason: str, words: str = "") -> None:
    """Write the last answer of a connection."""
    if is_programs(connection):
        _write_problem(connection, status, reason, words)
    else:
        write_error(connection.outlet, status, reason, words)


def refuse_error(connection: Connection, error: BaseException, handle_error: Callable[..., None]) -> None:
    """The same for what gunicorn has to say of an error, which it logs, too."""
    if not is_programs(connection):
        return handle_error(connection.request, connection.outlet, connection.peer, error)
    page = _Page()
    handle_error(connection.request, page, connection.peer, error)
    status = int(page.content.split(b" ", 2)[1]) if page.content else 500
    return _write_problem(connection, status, HTTPStatus(status).phrase, "")


def is_programs(connection: Connection) -> bool:
    """Whether what has come of a request asks for a path of the API's."""
    if connection.request:
        return is_api_path(connection.request.path or "")
    parts = connection.beginning.split(b" ", 2)
    return len(parts) > 1 and is_api_path(parts[1].partition(b"?")[0].decode("latin-1"))


def _write_problem(connection: Connection, status: int, reason: str, words: str) -> None:
    slug = SLUGS.get(status)
    kind = f"/developers/problems/{slug}" if slug else "about:blank"
    problem = {"type": kind, "title": reason, "status": status, "detail": words or f"{reason}."}
    body = json.dumps(problem).encode()
    more = f"Retry-After: {RETRY_AFTER}\r\n" if status == 503 else ""
    head = PROBLEM.format(status=status, reason=reason, more=more, length=len(body))
    is_head = connection.request is not None and connection.request.method == "HEAD"
    connection.outlet.sendall(head.encode("latin-1") + (b"" if is_head else body))


class _Page:
    """What gunicorn takes for a socket that never blocks."""

    content = b""

    def sendall(self, data: bytes) -> None:
        self.content += data

    def gettimeout(self) -> float:
        return 0.0
