"""Sockets: connections to other machines, each within the deadline of its thread."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeAlias

from webapp.lib.deadline import current

AddressInfo: TypeAlias = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]


def connect(host: str, port: int) -> socket.socket:
    """A TCP connection, watched by this thread's deadline. Raises OSError.

    The host's addresses are tried in turn, each for its share of the time that is left.
    """
    limit = current()
    error: OSError | None = None
    addresses = _addresses(host, port, limit.left)
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            limit.watch(sock)
            sock.settimeout(limit.left / (len(addresses) - number))
            sock.connect(address)
        except OSError as failure:
            error = failure
            sock.close()
        else:
            sock.settimeout(limit.seconds)
            return sock
    raise error or OSError(f"{host} has no address")


def _addresses(host: str, port: int, seconds: float) -> Sequence[AddressInfo]:
    """The addresses of a host. The system's resolver cannot be interrupted, so it runs in a thread that may be left."""
    with suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    answers: SimpleQueue[Sequence[AddressInfo] | Exception] = SimpleQueue()
    threading.Thread(target=_resolve, args=(host, port, answers), name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no address for {host} within {seconds:.1f} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _resolve(host: str, port: int, answers: "SimpleQueue[Sequence[AddressInfo] | Exception]") -> None:
    try:
        answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except Exception as error:
        answers.put(error)
