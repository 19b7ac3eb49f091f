"""An API token that is put into every wrong place of a real site is in no line of its log, and in none of its files."""

import json
import socket
from base64 import b64encode
from pathlib import Path

import pytest

from tests.processes import BIN, Site, is_answering, until
from tests.surfing import Surfer
from webapp.lib.token_text import MASK, PREFIX
from webapp.models.session import hash_of_key

# The site, with a page that breaks over what it is asked.
BROKEN = """
from flask import request
from webapp.wsgi import app

@app.get("/breaks")
def breaks():
    try:
        raise KeyError(request.args["q"])
    except KeyError as error:
        raise RuntimeError(f"Broken by {request.args['q']}") from error
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    site = Site(tmp_path, LOG_LEVEL="DEBUG", PYTHONPATH=str(tmp_path))
    site.start("web", [str(BIN / "gunicorn"), "broken:app"])
    until(lambda: is_answering(site.port))
    yield site
    site.close()


@pytest.fixture
def ann(site):
    surfer = Surfer(site.url)
    surfer.submit("/register", username="ann", email="", password="correct horse battery")
    return surfer


def _made_token(ann: Surfer) -> str:
    ann.submit("/settings/tokens", name="Script", scopes="tasks:read", days="7")
    return ann.visit("/settings/tokens").select_one("#made-token")["value"]


def _put_everywhere(site: Site, ann: Surfer, text: str) -> None:
    stranger = Surfer(site.url)
    for address in (
        "/?q={}", "/tasks?q={}", "/breaks?q={}", "/breaks?q={}{}", "/{}", "/people/{}", "/tasks/{}", "/artifacts/{}",
        "/api/v1/user?access_token={}", "/api/v1/{}", "/api/v1/tasks/{}", "/email/confirmation/{}",
        "/%00{}", "/login?next=/{}",
    ):  # fmt: skip
        ann.read(address.format(text, text))
        stranger.read(address.format(text, text))
    ann.submit("/settings/username", username=text)
    ann.submit("/settings/tokens", name=text, scopes="posts", days="7")
    stranger.submit("/login", username=text, password=text)
    stranger.submit("/login", username="ann", password=text, csrf_token=text, next=text)
    stranger.submit("/password/forgotten", email=text)
    basic = b64encode(f"{text}:".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {text}"}, {"Authorization": text}, {"Authorization": f"Basic {basic}"},
        {"X-Request-ID": text}, {"User-Agent": f"{text}/1.0"}, {"Referer": f"{site.url}/{text}"},
        {"Cookie": f"session={text}"},
        {"Accept-Language": text}, {"Range": text}, {"X-Forwarded-For": text},
        {"HX-Request": "true", "HX-Current-URL": f"/{text}"},
    ):  # fmt: skip
        for path in ("/api/v1/user", "/tasks", "/breaks?q=x", "/nowhere"):
            stranger.read(path, **headers)
    as_json = {"Content-Type": "application/json", "Authorization": f"Bearer {text}"}
    for body in (json.dumps({"tokens": text}), f"{text}", json.dumps({text: text}), json.dumps([text])):
        _raw(site, "POST /api/v1/token-revocations HTTP/1.1", as_json, body)
    for line in (f"GET /{text} HTTP/9.9", f"{text} / HTTP/1.1", f"{text}", f"GET http://{text}/ HTTP/1.1"):
        _raw(site, line)
    _raw(site, "GET / HTTP/1.1", {f"{text}(": "x", "X": text})
    _raw(site, "GET / HTTP/1.1", {"Host": text})
    _raw(site, "POST /login HTTP/1.1", {"Content-Length": text})


def _raw(site: Site, line: str, headers: dict[str, str] | None = None, body: str = "") -> bytes:
    """What no browser would send, and its answer."""
    sent = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(body))} | (headers or {})
    head = "\r\n".join([line, *(f"{name}: {value}" for name, value in sent.items()), "", ""])
    with socket.create_connection(("127.0.0.1", site.port), 10) as sock:
        sock.sendall(head.encode() + body.encode())
        return b"".join(iter(lambda: sock.recv(65536), b""))


def _holding(folder: Path, text: str) -> set[str]:
    """The files in which a text stands."""
    return {path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()}


def test_a_token_in_every_wrong_place_is_in_no_line_and_in_no_file(site, ann, tmp_path):
    text = _made_token(ann)
    _put_everywhere(site, ann, text)
    web = site.processes["web"]
    site.stop("web")
    lines = web.output()
    beginning = text[: len(PREFIX) + 10]
    assert [line[:300] for line in lines.splitlines() if beginning in line] == []
    assert lines.count(f"RuntimeError: Broken by {MASK}") > 1, "it was logged, without it"
    assert f"/people/{MASK}" in lines
    assert b64encode(text.encode()).decode()[:20] not in lines
    assert _holding(tmp_path / "data", hash_of_key(text)), "this looks where the database is"
    assert _holding(tmp_path / "data", beginning) == set()
