"""The worker in a thread of this process, where its limits can be short: what takes too long, too much or fails ends
one connection, and nobody else's."""

import errno
import logging
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from gunicorn.config import Config

from tests.processes import until
from tests.webapp.web.serving import app, read_all
from webapp.web.server import connection as connections
from webapp.web.server import lifetime, limits, worker
from webapp.web.server.connection import Connection
from webapp.web.server.framing import Received
from webapp.web.server.line import Line
from webapp.web.server.threads import Threads
from webapp.web.server.worker import BufferingWorker

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def _statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answer)]


@contextmanager
def _held_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that hangs until the event is set."""
    works = threading.Event()
    write = Received.write

    def wait_and_write(received: Received) -> None:
        works.wait()
        write(received)

    monkeypatch.setattr(Received, "write", wait_and_write)
    try:
        yield works
    finally:
        works.set()


def test_a_disk_that_hangs_holds_nobody_but_who_sends_much(serve, monkeypatch):
    monkeypatch.setattr(connections, "SLOWEST", 1e9)
    served = serve()
    with _held_up(monkeypatch) as works, closing(served.connect(UPLOAD)) as sock:
        assert _statuses(served.ask(GET, LAST)) == [200, 200]
        works.set()
        assert sock.recv(65536).endswith(b"200000")
        works.clear()
        monkeypatch.setattr(limits, "BODY_WITHIN", 0.1)
        answer = served.ask(UPLOAD)
        assert _statuses(answer) == [503]
        assert b"no room for what you send" in answer
        works.set()
        until(lambda: len(served.open_connections()) == 1)
        assert _statuses(served.ask(LAST)) == [200]


@pytest.mark.parametrize("before", [b"", GET * 3])
def test_a_disk_that_is_full_refuses_in_words_and_the_process_lives(serve, monkeypatch, before, caplog):
    served = serve()

    def fail(received: Received) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Received, "write", fail)
    assert _statuses(served.ask(before + UPLOAD)) == [200] * (len(before) // len(GET)) + [503]
    assert _statuses(served.ask(LAST)) == [200]
    assert "No space left on device" in caplog.text
    assert served.worker.loop.spooled == 0


def test_a_long_body_of_who_then_only_listens_is_read_to_its_end_and_its_file_is_closed(serve, monkeypatch):
    closed: list[int] = []
    discard = Received.discard
    monkeypatch.setattr(Received, "discard", lambda received: (discard(received), closed.append(received.size))[0])
    served = serve()
    with closing(served.connect(UPLOAD)) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock).endswith(b"200000")
    assert 200_000 in closed
    with closing(served.connect(GET, UPLOAD, GET)) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert _statuses(read_all(sock)) == [200, 200, 200]
    with closing(served.connect(GET, GET[:-1])) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert _statuses(read_all(sock)) == [200]
    with closing(served.connect(UPLOAD[:100_000])):
        until(lambda: any(each.source and each.source.is_on_disk for each in served.open_connections()))
    until(lambda: any(0 < size < 200_000 for size in closed))
    until(lambda: not served.worker.loop.spooled)


@pytest.mark.parametrize(
    "begun", [GET[:20], UPLOAD[:1000], UPLOAD[:100_000], CHUNKED + b"ffff\r\n", CHUNKED + b"1\r\na\r\n0\r\nX: "]
)
def test_who_sends_a_byte_now_and_then_is_ended_in_time(serve, monkeypatch, begun):
    monkeypatch.setattr(limits, "BODY_WITHIN", 0.3)
    monkeypatch.setattr(limits, "HEAD_WITHIN", 0.3)
    monkeypatch.setattr(connections, "SLOWEST", 1e9)
    served = serve()
    with closing(served.connect(begun)) as sock:
        sock.settimeout(0.02)
        answer = b""
        while not answer:
            sock.send(b"a")
            try:
                answer = sock.recv(65536)
            except TimeoutError:
                continue
        assert _statuses(answer) in ([408], [503]), "503 where its latest byte is on its way to the disk"


def test_an_answer_has_its_time_as_a_whole_and_not_for_each_piece(serve, monkeypatch):
    ended = threading.Event()

    def endless(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            while True:
                yield bytes(limits.OUTLET)
        finally:
            ended.set()

    monkeypatch.setattr(connections, "BODY_WITHIN", 0.5)
    monkeypatch.setattr(connections, "SLOWEST", 1e9)
    served = serve(endless)
    with closing(served.connect(GET)) as sock:

        def reads() -> bool:
            sock.recv(200_000)
            return ended.is_set()

        until(reads)
    assert _statuses(serve().ask(LAST)) == [200]


def test_who_makes_the_process_hold_most_is_ended_where_it_is_too_much(serve, monkeypatch):
    monkeypatch.setattr(limits, "MAX_HELD", 5_000_000)

    def large(environ: Any, start_response: Any) -> list[bytes]:
        size = int(environ["PATH_INFO"][1:] or 1)
        start_response("200 OK", [("Content-Length", str(size))])
        return [bytes(size)]

    served = serve(large)
    modest = served.connect(GET.replace(b"/ ", b"/1000000 "))
    greedy = [served.connect(GET.replace(b"/ ", b"/9000000 ")) for _ in range(3)]
    try:
        until(lambda: len(served.open_connections()) == 1)
        [left] = served.open_connections()
        assert left.outlet.sent + len(left.outlet.waiting) < 2_000_000, "who holds least stays"
        assert _statuses(served.ask(LAST)) == [200]
    finally:
        for sock in (modest, *greedy):
            sock.close()


def test_what_is_sent_ahead_waits_with_its_sender_and_is_answered_in_order(serve):
    may_go_on = threading.Event()

    def patient(environ: Any, start_response: Any) -> Iterable[bytes]:
        may_go_on.wait()
        return app(environ, start_response)

    served = serve(patient)
    many, get = 500, GET.replace(b"Host", b"X: %b\r\nHost" % bytes(b"a" * 2000))
    with closing(served.connect(GET, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")) as sock:
        sender = threading.Thread(target=sock.sendall, args=(get * many + LAST,))
        sender.start()
        [only] = until(served.open_connections)
        until(lambda: not only.events)
        assert len(only.received) <= limits.MAX_AHEAD + 65536
        may_go_on.set()
        answer = read_all(sock)
        sender.join()
    assert re.findall(rb"\r\n\r\n(\d)", answer) == [b"0", b"3", *[b"0"] * (many + 1)]


def test_an_error_on_one_connection_is_logged_and_ends_no_other(serve, monkeypatch, caplog):
    served = serve()
    monkeypatch.setattr(Connection, "take_body", lambda connection: 1 // 0)
    assert served.ask(UPLOAD[:1000]) == b""
    assert "ZeroDivisionError" in caplog.text
    assert _statuses(served.ask(LAST)) == [200]


def test_chunks_of_a_byte_are_refused_before_they_hold_the_loop(serve):
    served = serve()
    assert _statuses(served.ask(CHUNKED + b"1\r\na\r\n" * 50_000)) == [400]
    proper = b"".join(b"64\r\n%b\r\n" % bytes(100) for _ in range(2000))
    assert served.ask(CHUNKED + proper + b"0\r\n\r\n" + LAST).count(b"200000") == 1


def test_where_all_places_are_taken_by_those_who_drip_the_slowest_makes_room(serve):
    served = serve(worker_connections=5)
    slow = [served.connect(GET[:10]) for _ in range(5)]
    try:
        until(lambda: len(served.open_connections()) == 5)
        assert _statuses(served.ask(LAST)) == [200]
    finally:
        for sock in slow:
            sock.close()


def test_where_no_file_can_be_opened_an_idle_connection_makes_room(serve, caplog):
    class Full(socket.socket):
        failures = 0

        def accept(self) -> Any:
            if self.failures:
                self.failures -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    listener = Full()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    served = serve(listener=listener)
    with closing(served.connect()) as idle:
        until(served.open_connections)
        listener.failures = 1
        assert _statuses(served.ask(LAST)) == [200]
        assert idle.recv(1) == b""
        assert not caplog.records
        listener.failures = 2
        assert _statuses(served.ask(LAST)) == [200], "after a while"
        assert "No connection can be accepted" in caplog.text


def test_a_process_that_is_renewed_beside_others_takes_whom_nobody_else_takes(serve):
    served = serve(workers=2, max_requests=1)
    with closing(served.connect()):  # idle, so that the process goes on
        until(served.open_connections)
        for _ in range(3):
            assert _statuses(served.ask(LAST)) == [200]
        assert served.worker.lifetime.is_renewed


def test_an_answer_that_was_being_made_at_the_end_leaves_a_connection_that_is_idle_for_a_moment_only(
    serve, monkeypatch
):
    monkeypatch.setattr(lifetime, "STOP_KEEPALIVE", 0.1)
    monkeypatch.setattr(worker, "STOP_KEEPALIVE", 0.1)
    begun, may_go_on = threading.Event(), threading.Event()

    def patient(environ: Any, start_response: Any) -> Iterable[bytes]:
        begun.set()
        may_go_on.wait()
        return app(environ, start_response)

    served = serve(patient)
    with closing(served.connect(GET)) as sock:
        begun.wait()
        served.stop()
        until(lambda: served.worker.lifetime.is_ending)
        may_go_on.set()
        assert _statuses(read_all(sock)) == [200]
        served.thread.join(limits.STOP_KEEPALIVE * 5)
        assert not served.thread.is_alive()


def test_polls_and_probes_go_ahead_of_others_which_have_a_turn_now_and_then():
    line = Line()
    names = {f"{kind}{number}": kind == "quick" for kind in ("other", "quick") for number in range(4)}
    for name, is_quick in names.items():
        line.put(name, is_quick)  # type: ignore[arg-type]
    assert len(line) == 8
    order = [line.get() for _ in names]
    assert order == ["quick0", "quick1", "quick2", "other0", "quick3", "other1", "other2", "other3"]


def test_only_those_are_quick_that_know_a_version_or_ask_for_a_quick_path(serve, monkeypatch):
    seen: list[bool] = []
    submit = Threads.submit
    monkeypatch.setattr(Threads, "submit", lambda threads, each: (seen.append(each.is_quick), submit(threads, each))[1])
    monkeypatch.setattr(BufferingWorker, "quick_paths", frozenset({"/healthz"}))
    known = GET.replace(b"Host", b"If-None-Match: a\r\nHost")
    serve().ask(GET, known, GET.replace(b"/ ", b"/healthz "), LAST)
    assert seen == [False, True, True, False]


@pytest.mark.parametrize("setting", ["certfile", "proxy_protocol"])
def test_what_only_other_workers_can_do_is_refused_at_the_start(setting):
    config = Config()
    BufferingWorker.check_config(config, logging.getLogger())
    config.set(setting, "v1")
    with pytest.raises(RuntimeError, match="gthread"):
        BufferingWorker.check_config(config, logging.getLogger())
