"""One request and its answer, in a thread: gunicorn's environ and response around a call of the app."""

import errno
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.base import Worker

from webapp.web.server.connection import Connection
from webapp.web.server.limits import OUTLET

CLIENT_IS_GONE = {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF}


class Exchanges:
    """Answers requests by the app of a gunicorn worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._app, self._config, self._log = worker, worker.wsgi, worker.cfg, worker.log

    def work(self, connection: Connection) -> None:
        """Make the next part of the answer: until its end, or until the client has to take some of it first.

        Afterwards `steps` is None if nothing more comes. Never raises.
        """
        if connection.is_lost:
            return self._drop(connection)
        try:
            if connection.steps is None:
                connection.steps = self._answer(connection)
            next(connection.steps)
        except StopIteration:
            connection.steps = None
        except (NoMoreData, OSError) as error:
            connection.steps, connection.must_close = None, True
            if not isinstance(error, NoMoreData) and error.errno not in CLIENT_IS_GONE:
                self._log.exception("Error writing an answer")
        except BaseException as error:  # SystemExit, too: a request ends no process
            connection.steps, connection.must_close = None, True
            if connection.outlet.sent or connection.outlet.waiting:
                self._log.exception("Error in the middle of an answer")
            else:
                self._worker.handle_error(connection.request, connection.outlet, connection.peer, error)

    def _drop(self, connection: Connection) -> None:
        """End an answer whose client is gone."""
        try:
            if connection.steps:
                connection.steps.close()  # type: ignore[attr-defined]  # it is a generator
        except Exception:
            self._log.exception("Error ending an answer")
        connection.steps, connection.must_close = None, True

    def _answer(self, connection: Connection) -> Iterator[None]:
        request, outlet = connection.request, connection.outlet
        assert request
        self._config.pre_request(self._worker, request)
        begun = datetime.now()
        response, environ = wsgi.create(request, outlet, connection.peer, connection.server, self._config)
        environ["wsgi.multithread"] = True
        if connection.must_close:
            response.force_close()
        parts = self._app(environ, response.start_response)
        try:
            for part in parts:
                response.write(part)
                while len(outlet.waiting) >= OUTLET and not outlet.flush():
                    yield
            response.close()
            outlet.flush()
        finally:
            self._log.access(response, request, environ, datetime.now() - begun)
            _close(parts)
            self._config.post_request(self._worker, request, environ, response)
        connection.status = response.status_code
        connection.must_close |= response.should_close() or request.body.failed or not _is_read(request.body)


def _is_read(body: Any) -> bool:
    """Whether nothing is left of a body: what is left goes with the temporary file, but must have been well-formed."""
    while data := body.read(1 << 20):
        del data
    return not body.failed


def _close(parts: Iterable[bytes]) -> None:
    close = getattr(parts, "close", None)
    if close:
        close()
