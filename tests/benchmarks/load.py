"""A small HTTP load: a few kept connections, each asking again as soon as it is answered."""

import re
import selectors
import socket
import time
from dataclasses import dataclass

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True)
class Load:
    """What a load saw: requests a second, and the 99th percentile of their times in seconds."""

    rate: float
    p99: float


def run_load(
    port: int,
    path: str,
    headers: dict[str, str],
    status: int,
    seconds: float,
    connections: int = 8,
    body: bytes = b"",
) -> Load:
    """Ask for `path` over and over, or POST the body there. Raises AssertionError at the first answer that has another
    status.

    Bodies are read by their Content-Length.
    """
    method = "GET"
    if body:
        method, headers = "POST", headers | {"Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode() + body
    expected = f"HTTP/1.1 {status} ".encode()
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, [b"", time.perf_counter()])
        connection.sendall(request)
    times: list[float] = []
    begun = time.perf_counter()
    end = begun + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(1):
            connection, state = key.fileobj, key.data
            state[0] += connection.recv(65536)  # type: ignore[union-attr]
            if not _is_whole(state[0]):
                assert state[0], "the server closed a kept connection"
                continue
            assert state[0].startswith(expected), state[0][:200]
            now = time.perf_counter()
            times.append(now - state[1])
            state[:] = [b"", now]
            connection.sendall(request)  # type: ignore[union-attr]
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    times.sort()
    return Load(len(times) / (now - begun), times[int(len(times) * 0.99)])


def _is_whole(answer: bytes) -> bool:
    """Whether an answer has come to its end."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = LENGTH.search(head)
    return len(body) >= (int(length[1]) if length else 0)
