"""One request and its answer, in a thread: gunicorn's environ and response around a call of the app."""

import errno
from collections.abc import Iterable, Iterator
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import ChunkMissingTerminator, NoMoreData
from gunicorn.workers.base import Worker

from webapp.web.server import MUST_ANSWER
from webapp.web.server.connection import Connection
from webapp.web.server.limits import IN_MEMORY, OUTLET
from webapp.web.server.refusals import refuse_error

READ_AT_ONCE = 1 << 20  # bytes of a body
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
            self._end(connection)
        except BaseException as error:  # SystemExit, too: a request ends no process
            self._end(connection, must_close=True)
            self._tell(connection, error)

    def _must_answer(self, connection: Connection) -> bool:
        """Whether the app is to wait no longer: this process ends, the client is gone, or others need the thread."""
        is_gone = connection.is_ended or connection.is_lost
        return is_gone or not self._worker.alive or self._worker.threads.queued > 0

    def _tell(self, connection: Connection, error: BaseException) -> None:
        """Let the client know of an error, if there is one to be told; else the log."""
        if isinstance(error, NoMoreData) or (isinstance(error, OSError) and error.errno in CLIENT_IS_GONE):
            return
        if connection.outlet.sent or connection.outlet.waiting:
            self._log.exception("Error in the middle of an answer")
        else:
            refuse_error(connection, error, self._worker.handle_error)

    def _drop(self, connection: Connection) -> None:
        """End an answer whose client is gone."""
        try:
            if connection.steps:
                connection.steps.close()  # type: ignore[attr-defined]  # it is a generator
        except Exception:
            self._log.exception("Error ending an answer")
        self._end(connection, must_close=True)

    @staticmethod
    def _end(connection: Connection, must_close: bool = False) -> None:
        """Have no more to come. The body is closed here, as that may wait for a disk."""
        connection.steps = None
        connection.must_close |= must_close
        if connection.source:
            connection.source.discard()

    def _answer(self, connection: Connection) -> Iterator[None]:
        request, outlet = connection.request, connection.outlet
        assert request
        _complete_body(connection)
        self._config.pre_request(self._worker, request)
        begun = datetime.now()
        response, environ = wsgi.create(request, outlet, connection.peer, connection.server, self._config)
        environ["wsgi.multithread"] = True
        if self._config.threads > 1:
            environ[MUST_ANSWER] = lambda: self._must_answer(connection)
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


def _complete_body(connection: Connection) -> None:
    """Let the app read the body from its beginning, and only what was found well-formed. Raises what gunicorn's parser
    raises."""
    request, source = connection.request, connection.source
    assert request
    assert source
    source.body.seek(0)
    if not isinstance(request.body.reader, ChunkedReader):
        return
    content = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - is closed with its source
    try:
        while data := request.body.read(READ_AT_ONCE):
            content.write(data)
    except NoMoreData:
        if not (connection.end and connection.end.is_cut):
            raise ChunkMissingTerminator(b"") from None
    except BaseException:
        content.close()
        raise
    request.body = Body(LengthReader(source, content.tell()))
    content.seek(0)
    source.become(content)


def _is_read(body: Any) -> bool:
    """Whether nothing is left of a body: what is left goes with the temporary file, but must have been well-formed."""
    while data := body.read(READ_AT_ONCE):
        del data
    return not body.failed


def _close(parts: Iterable[bytes]) -> None:
    close = getattr(parts, "close", None)
    if close:
        close()
