"""Deadlines: whatever the other end does, and whatever we do meanwhile, it is over when time is up."""

import os
import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest

from tests.mailserver import SELF_SIGNED
from webapp.lib import deadline as deadlines
from webapp.lib.deadline import current, deadline
from webapp.lib.sockets import connect

WITHIN = 0.3  # seconds
MET = 1.5  # seconds, which some microseconds never take
FAR = 10.0  # what a fault would miss


@pytest.fixture
def server():
    """Somebody who listens, and takes no connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def _drip(server: socket.socket) -> None:
    """Say a byte now and then to whoever connects, until they are gone."""

    def drip() -> None:
        sock, _ = server.accept()
        with sock, suppress(OSError):
            while not time.sleep(WITHIN / 10):
                sock.sendall(b"x")

    threading.Thread(target=drip, daemon=True).start()


def _port(server: socket.socket) -> int:
    return server.getsockname()[1]


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _read_a_line(server: socket.socket, seconds: float) -> None:
    """Wait for the line's end, within a deadline."""
    with deadline(seconds), connect("127.0.0.1", _port(server)) as sock, sock.makefile("rb") as lines:
        if not lines.readline().endswith(b"\n"):
            raise OSError("a line without an end")


def _say_too_much(server: socket.socket) -> None:
    with deadline(WITHIN), connect("127.0.0.1", _port(server)) as sock:
        sock.sendall(bytes(100_000_000))


def _agree_on_tls(server: socket.socket) -> None:
    context = ssl.create_default_context(cafile=SELF_SIGNED)
    with deadline(WITHIN), connect("127.0.0.1", _port(server)) as sock:
        sock.settimeout(FAR)
        context.wrap_socket(sock, server_hostname="localhost")


def test_reading_a_dripping_server_ends_at_the_deadline(server):
    _drip(server)
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match=r"within 0\.3 s"):
        _read_a_line(server, WITHIN)
    assert time.monotonic() - begun < FAR


@pytest.mark.parametrize("talk", [_say_too_much, _agree_on_tls])
def test_waiting_for_a_silent_server_ends_at_the_deadline(server, talk):
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        talk(server)
    assert time.monotonic() - begun < FAR


def test_kept_connection_is_watched_by_the_deadline_of_its_user(server):
    with deadline(MET) as first:
        sock = connect("127.0.0.1", _port(server))
    peer, _ = server.accept()
    with peer, sock:
        sock.settimeout(None)  # it has only the deadlines of those who use it
        time.sleep(MET * 1.2)  # that deadline is over, and was met
        with pytest.raises(TimeoutError):
            _ = first.left
        with deadline(FAR) as limit:
            limit.watch(sock)
            peer.sendall(b"hello")
            assert sock.recv(10) == b"hello"
        with deadline(WITHIN) as limit:
            limit.watch(sock)
            assert sock.recv(10) == b"", "it was shut down"


def test_block_that_ends_in_time_keeps_its_result_or_error(server):
    with deadline(FAR), connect("localhost", _port(server)):
        pass
    port = _port(server)
    server.close()
    with pytest.raises(ConnectionRefusedError), deadline(FAR):
        connect("127.0.0.1", port)


def test_nested_deadlines_end_with_the_earlier_one(server):
    _drip(server)
    begun = time.monotonic()
    with deadline(WITHIN) as outer:
        with pytest.raises(TimeoutError):
            _read_a_line(server, FAR)
        assert current() is outer
        with pytest.raises(TimeoutError):
            _ = outer.left
    assert time.monotonic() - begun < FAR / 2
    with pytest.raises(RuntimeError):
        current()


def test_name_resolution_ends_at_the_deadline(monkeypatch):
    real = socket.getaddrinfo
    answered = threading.Event()

    def resolve(host, *args, **options):
        if host == "mail.example" and not options.get("flags"):
            answered.wait(FAR)
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    begun = time.monotonic()
    with pytest.raises(TimeoutError), deadline(WITHIN):
        connect("mail.example", 25)
    answered.set()
    assert time.monotonic() - begun < FAR / 2


def test_unreachable_address_leaves_time_for_the_next_one(server, monkeypatch):
    silent = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:  # from here on it lets connections wait
        filler.setblocking(False)
        with suppress(BlockingIOError):
            filler.connect(silent.getsockname())
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", sock.getsockname()) for sock in (silent, server)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with deadline(1.5), connect("two.example", 25) as sock:
        assert sock.getpeername() == server.getsockname()
    for sock in (silent, *fillers):
        sock.close()


def test_deadline_leaks_no_descriptor_when_a_signal_interrupts(server):
    with deadline(FAR):
        sock = connect("127.0.0.1", _port(server))
    before = _open_files()
    for _ in range(50):
        with deadline(FAR) as limit:
            limit.watch(sock)
    limit = deadline(FAR)
    limit.__enter__()
    limit.watch(sock)
    deadlines._watchdog._expected.clear()  # as if its time had passed
    del limit  # and its __exit__ never came
    with pytest.raises(RuntimeError):
        current()
    assert _open_files() == before
    sock.close()


def test_forked_child_has_deadlines_of_its_own(server):
    _drip(server)
    with deadline(FAR):
        child = os.fork()
        if child == 0:
            try:
                _read_a_line(server, WITHIN)
            except TimeoutError:
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_error_after_the_deadline_is_a_timeout_even_if_the_watchdog_is_late():
    def time_out_by_itself() -> None:
        time.sleep(0.06)
        raise ConnectionError("the socket's own timeout came first")

    with deadlines._watchdog.lock, pytest.raises(TimeoutError), deadline(0.05):
        time_out_by_itself()
