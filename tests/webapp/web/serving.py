"""The worker in a thread of this process, for tests of what it answers by itself."""

import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from tests.processes import until
from webapp.web.server import worker
from webapp.web.server.connection import Connection
from webapp.web.server.worker import BufferingWorker


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Says how long the body was that it was sent."""
    words = str(len(environ["wsgi.input"].read())).encode()
    start_response("200 OK", [("Content-Length", str(len(words)))])
    return [words]


class Served:
    """A worker that serves an app."""

    def __init__(self, app: Any, listener: Any = None, max_requests: int = 0, **settings: int) -> None:
        config = Config()
        for name, value in ({"threads": 2, "keepalive": 60, "worker_connections": 1000} | settings).items():
            config.set(name, value)
        self.listener = listener or socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.worker = BufferingWorker(0, os.getppid(), [self.listener], None, 30, config, Logger(config))
        self.worker.wsgi = app
        self.worker.max_requests = max_requests or self.worker.max_requests
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()
        until(lambda: hasattr(self.worker, "listeners"))

    def connect(self, *data: bytes) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", self.port))
        for piece in data:
            sock.sendall(piece)
        return sock

    def ask(self, *data: bytes) -> bytes:
        """All that it answers until it hangs up."""
        with closing(self.connect(*data)) as sock:
            return read_all(sock)

    def open_connections(self) -> list[Connection]:
        return list(self.worker.loop.connections)

    def stop(self) -> None:
        self.worker.handle_exit(0, None)


def read_all(sock: socket.socket) -> bytes:
    answer = b""
    while piece := sock.recv(65536):
        answer += piece
    return answer


@pytest.fixture
def serve(monkeypatch) -> Iterator[Callable[..., Served]]:
    monkeypatch.setattr(worker, "TICK", 0.02)
    running: list[Served] = []

    def start(app: Any = app, **settings: Any) -> Served:
        running.append(Served(app, **settings))
        return running[-1]

    yield start
    for served in running:
        served.worker.cfg.set("graceful_timeout", 0)
        served.stop()
        served.thread.join(20)
        assert not served.thread.is_alive()
        for each in served.open_connections():  # a process would end with them
            served.worker.loop.close(each)
        served.worker.loop.selector.close()
        served.worker.tmp.close()
