"""Clients that would hold a server: each keeps its connection, and does as little on it as it can."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


def _head(path: str, cookies: str, *more: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: {cookies}", *more)).encode()


def _headers(sock: socket.socket, path: str, cookies: str) -> None:
    sock.sendall(_head("/healthz", "", "X-Slow: a"))


def _bodies(sock: socket.socket, path: str, cookies: str) -> None:
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\na"
    sock.sendall(_head("/login", "", form).replace(b"GET", b"POST"))


def _chunks(sock: socket.socket, path: str, cookies: str) -> None:
    form = "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n1000000\r\na"
    sock.sendall(_head("/login", "", form).replace(b"GET", b"POST"))


def _half_closed(sock: socket.socket, path: str, cookies: str) -> None:
    sock.sendall(_head("/healthz", "", "\r\n"))
    sock.shutdown(socket.SHUT_WR)


def _never_hanging_up(sock: socket.socket, path: str, cookies: str) -> None:
    sock.sendall(_head("/healthz", "", "Connection: close\r\n\r\n"))


def _readers(sock: socket.socket, path: str, cookies: str) -> None:
    sock.sendall(_head(path, cookies, "\r\n"))


KINDS: dict[str, Callable[[socket.socket, str, str], None]] = {
    "dripping headers": _headers,
    "dripping bodies": _bodies,
    "dripping chunks": _chunks,
    "half-closed": _half_closed,
    "`Connection: close`, and never hanging up": _never_hanging_up,
    "reading a large file slowly": _readers,
}
DRIPPING = ("dripping headers", "dripping bodies", "dripping chunks")


class Drips:
    """Their connections."""

    def __init__(self, port: int, kind: str, count: int, path: str, cookies: str) -> None:
        self._kind, self.socks = kind, []
        for _ in range(count):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(10)
            sock.connect(("127.0.0.1", port))
            self.socks.append(sock)
            KINDS[kind](sock, path, cookies)
            sock.setblocking(False)

    def drip(self) -> None:
        """Each sends one more byte, or takes a few. A server may have hung up meanwhile."""
        for sock in self.socks:
            with suppress(OSError):
                sock.send(b"a") if self._kind in DRIPPING else sock.recv(16)


@contextmanager
def drips(port: int, kind: str, count: int, path: str = "/", cookies: str = "") -> Iterator[Drips]:
    """So many clients of a kind, until the block ends; `path` is of a large file that `cookies` may read."""
    found = Drips(port, kind, count, path, cookies)
    try:
        yield found
    finally:
        for sock in found.socks:
            sock.close()
