"""Sentry: an error arrives there with its ids, and nothing personal leaves."""

import gzip
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import gethostname

import pytest
import sentry_sdk

from webapp import error_reporting


class _Sentry(ThreadingHTTPServer):
    """Keeps what is posted, as text: its headers and its body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[str] = []

    @property
    def dsn(self) -> str:
        return f"http://key@127.0.0.1:{self.server_address[1]}/1"


class _Handler(BaseHTTPRequestHandler):
    server: _Sentry

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.got.append(body.decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sentry() -> Iterator[_Sentry]:
    with _Sentry() as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()
        sentry_sdk.init()  # sends nothing
        for collector in error_reporting._collectors():
            collector.stop()
            logging.getLogger().removeHandler(collector)


def test_an_error_in_a_request_comes_without_anything_personal(sentry, make_app):
    app = make_app(sentry_dsn=sentry.dsn, admins=("ops@example.com",))

    @app.post("/fails/<name>")
    def fails(name: str) -> str:
        secret = f"the secret of {name}"
        raise ValueError(f"{secret} cannot be kept")

    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    headers = {"X-Request-ID": "5d0c", "Authorization": "Bearer hunter2", "Cookie": "session=hunter2"}
    answer = app.test_client().post("/fails/ann@example.com?q=hunter2", data={"body": "hunter2"}, headers=headers)
    assert answer.status_code == 500
    [collector] = error_reporting._collectors()
    assert collector.hand_on(5)
    [envelope] = sentry.got
    event = json.loads(envelope.splitlines()[2])
    private = ("hunter2", "ann@", "127.0.0.1", "Cookie", gethostname())
    assert not [word for word in private if word in json.dumps(event)]
    assert event["tags"] == {"request_id": "5d0c", "process": "web"}
    assert event["release"] == app.config["RELEASE"]
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "")
    frame = error["stacktrace"]["frames"][-1]
    assert frame["function"].endswith("fails")
    assert "vars" not in frame
    assert not {"request", "user", "breadcrumbs", "server_name", "modules"} & event.keys()
