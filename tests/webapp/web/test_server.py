"""The server as a client sees it: who is slow holds nobody up, and what is no proper request is refused."""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import psutil
import pytest

from tests.drips import KINDS, drips
from tests.guarantees.sites import Workshop
from tests.processes import Site, is_answering, until
from tests.surfing import Surfer
from webapp.dev.factories import make_artifact, make_task
from webapp.models import State, User
from webapp.web.server.connection import Connection
from webapp.web.server.lifetime import Lifetime
from webapp.web.server.limits import RENEWAL_RATE

DRIPS = 40  # of each kind, and so more than there are threads


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Workshop]:
    site = Workshop(tmp_path_factory.mktemp("site"), WEB_CONCURRENCY="1")
    site.start_web()
    with site.entered():
        yield site
    site.close()


def _ask(site: Workshop, request: str | bytes, parts: int = 1) -> str:
    """All that the server says to these bytes, sent in so many parts, until it hangs up or is silent."""
    data = request.encode("latin-1") if isinstance(request, str) else request
    with closing(socket.create_connection(("127.0.0.1", site.port), 20)) as sock:
        for number in range(parts):
            sock.sendall(data[len(data) * number // parts : len(data) * (number + 1) // parts])
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    return answer.decode("latin-1")


def _get(path: str, *lines: str, method: str = "GET") -> str:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *lines, "", ""))


def _cookies(surfer: Surfer) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in surfer.cookies)


def _statuses(answer: str) -> list[int]:
    return [int(status) for status in re.findall(r"HTTP/1\.[01] (\d{3})", answer)]


def test_whatever_drips_the_site_answers(site):
    surfer = Surfer(site.url)
    surfer.submit("/guest")
    user = User.select().order_by(User.id.desc()).get()
    artifact = make_artifact(make_task(State.SUCCEEDED, user), "large.bin", bytes(10_000_000))
    cookies = _cookies(surfer)
    for kind in KINDS:
        with drips(site.port, kind, DRIPS, f"/artifacts/{artifact.id}", cookies) as slow:
            for _ in range(3):
                slow.drip()
                assert surfer.read("/healthz") == b"ok\n", kind
                surfer.read("/live")
                assert surfer.status == 200, kind
    whole = surfer.read(f"/artifacts/{artifact.id}")
    assert len(whole) == 10_000_000
    assert not re.search(r"Traceback|ERROR", site.processes["web"].output())


def test_a_slow_reader_gets_every_byte_in_the_end(site):
    surfer = Surfer(site.url)
    surfer.submit("/guest")
    user = User.select().order_by(User.id.desc()).get()
    content = b"".join(b"%07d\n" % number for number in range(200_000))
    artifact = make_artifact(make_task(State.SUCCEEDED, user), "lines.txt", content)
    cookies = _cookies(surfer)
    with closing(socket.socket()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", site.port))
        sock.sendall(_get(f"/artifacts/{artifact.id}", f"Cookie: {cookies}").encode())
        assert surfer.read("/healthz") == b"ok\n"
        answer = b""
        while piece := sock.recv(3000):
            answer += piece
    assert answer.partition(b"\r\n\r\n")[2] == content


REFUSED = {
    "two lengths": ["Content-Length: 1", "Content-Length: 2"],
    "a length and chunks": ["Content-Length: 1", "Transfer-Encoding: chunked"],
    "a length with a sign": ["Content-Length: +1"],
    "a folded line": ["X-A: a", " b"],
    "a space before the colon": ["X-A : a"],
    "a line that ends with LF": ["X-A: a\nX-B: b"],
    "a NUL": ["X-A: a\0b"],
    "a coding that is not chunked": ["Transfer-Encoding: identity"],
    "chunks within chunks": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "a coding after chunked": ["Transfer-Encoding: chunked, identity"],
    "a coding with a control character": ["Transfer-Encoding: \x0bchunked"],
    "a length twice in a line": ["Content-Length: 1, 1"],
    "a length in digits of another script": ["Content-Length: \xb2"],
    "a length of thousands of digits": ["Content-Length: " + "9" * 5000],
    "no length": ["Content-Length: "],
    "a second host": ["Host: 127.0.0.1"],
    "a carriage return in a line": ["X-A: a\rb"],
    "a request within a line": ["X-A: a\n\r\nGET /nowhere HTTP/1.1"],
    "a huge line": ["X-A: " + "a" * 10_000],
    "a huge head": [f"X-{number}: {'a' * 4000}" for number in range(40)],
    "too many lines": [f"X-{number}: a" for number in range(200)],
}


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED)
def test_what_another_server_may_read_otherwise_is_refused(site, lines):
    answer = _ask(site, _get("/healthz", *lines) + "a")
    assert _statuses(answer)[0] in {400, 431}
    assert "\nok" not in answer


def test_no_line_of_a_request_ends_with_lf_alone(site):
    assert _statuses(_ask(site, "GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n")) == [400]


def test_a_name_with_an_underscore_does_not_pass_for_one_with_a_hyphen(site):
    answer = _ask(site, _get("/login", "X-Request-ID: proxy", "X_Request_ID: forged", "X_Request-ID: forged"))
    assert "X-Request-ID: proxy\r\n" in answer


def test_a_cookie_beside_one_in_another_script_is_read(site):
    surfer = Surfer(site.url)
    surfer.submit("/guest")
    cookies = _cookies(surfer)
    answer = _ask(site, _get("/live", f"Cookie: name=J\xc3\xbcrgen\xff; {cookies}", "HX-Request: true"))
    assert _statuses(answer) == [200]


def test_requests_that_come_at_once_are_answered_in_order(site):
    first, second = (_get(path).replace("Connection: close\r\n", "") for path in ("/healthz", "/nowhere"))
    assert _statuses(_ask(site, first + second + _get("/healthz"))) == [200, 404, 200]


@pytest.mark.parametrize("parts", [1, 7, 60])
def test_bodies_are_read_in_whatever_pieces_they_come(site, parts):
    surfer = Surfer(site.url)
    token = surfer.visit("/login").select("input[name=csrf_token]")[0]["value"]
    lines = f"Cookie: {_cookies(surfer)}", "Content-Type: application/x-www-form-urlencoded"
    form = f"csrf_token={token}"
    length = _get("/guest", *lines, f"Content-Length: {len(form)}", method="POST").replace("Connection: close\r\n", "")
    chunks = f"3;a=b\r\n{form[:3]}\r\n{len(form) - 3:x}\r\n{form[3:]}\r\n0\r\nX: y\r\n\r\n"
    chunked = _get("/guest", *lines, "Transfer-Encoding: chunked", method="POST")
    assert _statuses(_ask(site, length + form + chunked + chunks, parts)) == [303, 303]


MALFORMED = {
    "no size": "zz\r\na\r\n",
    "too short a size": "1\r\nabc\r\n",
    "a negative size": "-1\r\na\r\n",
    "a size as in programs": "0x1\r\na\r\n",
    "a size of two parts": "1_0\r\na\r\n",
    "a size without end": "1" * 9000,
    "a space after the size": "1 \r\na\r\n",
    "an extension with a control character": "1;\x01=\r\na\r\n",
    "lines that end with LF": "1\na\n0\n\n",
    "a length after the chunks": "1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n",
    "a folded line after the chunks": "1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n",
    "many lines after the chunks": "1\r\na\r\n0\r\n" + "X: y\r\n" * 300 + "\r\n",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_body_with_a_malformed_chunk_is_refused_and_what_follows_is_no_request(site, body):
    form = "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked"
    request = _get("/login", *form, method="POST").replace("Connection: close\r\n", "") + body
    assert _statuses(_ask(site, request + "0\r\n\r\n" + _get("/healthz"))) in ([400], [431])
    assert "Traceback" not in site.processes["web"].output()


@pytest.mark.parametrize(
    ("line", "statuses"),
    [
        ("GET http://elsewhere.example/healthz HTTP/1.1", [200, 200]),
        ("GET /healthz HTTP/1.0", [200]),
        ("GET /healthz HTTP/1.0\r\nConnection: keep-alive", [200, 200]),
        ("HEAD /healthz HTTP/1.1\r\nContent-Length: 5", [200, 200]),
        ("GET /healthz HTTP/1.1\r\nContent-Length: 5", [200, 200]),
        ("CONNECT elsewhere.example:80 HTTP/1.1", [404]),
        ("GET /healthz", [400]),
        ("PRI * HTTP/2.0", [400]),
        ("GET elsewhere.example:80 HTTP/1.1", [400]),
        ("GET /" + "a" * 9000 + " HTTP/1.1", [414]),
        ("POST /login HTTP/1.1\r\nExpect: nonsense", [417]),
    ],
)
def test_a_request_of_any_kind_is_followed_by_another_or_by_none(site, line, statuses):
    body = "hello" if "Length" in line else ""
    assert _statuses(_ask(site, f"{line}\r\nHost: 127.0.0.1\r\n\r\n{body}{_get('/healthz')}")) == statuses


def test_a_client_may_ask_before_it_sends_and_may_speak_as_of_old(site):
    form = "Content-Type: application/x-www-form-urlencoded", "Content-Length: 1", "Expect: 100-continue"
    with closing(socket.create_connection(("127.0.0.1", site.port), 20)) as sock:
        sock.sendall(_get("/login", *form, method="POST").encode())
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"a")
        assert sock.recv(65536).startswith(b"HTTP/1.1 400")
    assert _ask(site, "GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").endswith("\r\n\r\nok\n")
    assert _ask(site, _get("/healthz", method="HEAD")).endswith("\r\n\r\n")


@pytest.mark.parametrize("framing", ["Content-Length: 12000000", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large_is_refused_in_words_while_it_is_still_sent(site, framing):
    kind = "Content-Type: multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = part + bytes(12_000_000 - len(part))
    if "chunked" in framing:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    answer = _ask(site, _get("/posts", kind, framing, method="POST").encode() + body)
    assert _statuses(answer) == [413]
    assert "Connection: close" in answer


def test_a_process_that_crashes_is_replaced_and_one_that_is_told_to_stop_finishes_what_has_begun(site):
    [child] = psutil.Process(site.processes["web"].popen.pid).children()
    child.kill()
    surfer = Surfer(site.url)
    assert until(lambda: surfer.read("/healthz")) == b"ok\n"
    form = "Content-Type: application/x-www-form-urlencoded", "Content-Length: 1"
    with closing(socket.create_connection(("127.0.0.1", site.port), 20)) as sock, drips(site.port, "half-closed", 3):
        sock.sendall(_get("/login", *form, method="POST").replace("Connection: close\r\n", "").encode())
        surfer.read("/healthz")  # by now it has the head of the other
        web = site.processes.pop("web")
        web.popen.send_signal(signal.SIGTERM)
        until(lambda: not is_answering(site.port))  # by now its process knows, too
        sock.sendall(b"a")
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Connection: close" in answer
    assert web.stop() == 0


def test_a_process_is_renewed_and_closes_its_connections_with_their_answers(tmp_path):
    site = Site(tmp_path, WEB_CONCURRENCY="1")
    site.env["GUNICORN_CMD_ARGS"] += " --max-requests 3 --max-requests-jitter 0 --keep-alive 1"
    web = site.start_web()
    try:
        [first] = until(lambda: psutil.Process(web.popen.pid).children())
        with closing(HTTPConnection("127.0.0.1", site.port, timeout=20)) as kept:
            closes = []
            while "close" not in closes:
                kept.request("GET", "/healthz")
                answer = kept.getresponse()
                assert answer.read() == b"ok\n"
                closes.append(answer.headers["Connection"])
        assert len(closes) == 4, "the third was the last before its renewal, and the next one closes"
        until(lambda: [child.pid for child in psutil.Process(web.popen.pid).children()] not in ([], [first.pid]))
        assert Surfer(site.url).read("/healthz") == b"ok\n"
    finally:
        site.close()
    assert "The process is renewed" in web.output()


def test_a_process_that_is_renewed_closes_so_many_connections_a_second_and_polls_do_not_renew_it():
    lifetime = Lifetime(2, keepalive=60)
    here, there = socket.socketpair()
    connection = Connection(here, "", "", 60)
    with here, there:
        for status in (304, 304, 200, 304):
            lifetime.count(status)
        assert not lifetime.is_renewed
        assert not lifetime.is_last(connection)
        lifetime.count(200)
        assert lifetime.is_renewed
        assert not all(lifetime.is_last(connection) for _ in range(RENEWAL_RATE * 20))
        assert (lifetime.is_over(1), lifetime.is_over(0)) == (False, True)
        connection.retire_at = 0
        assert lifetime.is_last(connection)
