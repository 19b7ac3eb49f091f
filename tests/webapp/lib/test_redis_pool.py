"""Connections to Redis: encrypted or not, none of them waits for longer than it may."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from select import select
from urllib.parse import urlsplit

import pytest

from tests.mailserver import tls
from tests.network import Network
from webapp.lib.redis_pool import ANSWERS_WITHIN, Client, redis_pool


@contextmanager
def _encrypted(port: int):
    """What stands before a server at a port and speaks TLS, for one connection; yields its own port."""

    def serve() -> None:
        with suppress(OSError):
            sock, _ = listener.accept()
            inside = socket.create_connection(("127.0.0.1", port))
            with inside, tls().wrap_socket(sock, server_side=True) as outside:
                while True:
                    for end in (outside,) if outside.pending() else select([outside, inside], [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        (inside if end is outside else outside).sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(10)


@pytest.fixture
def network(redis_url):
    """A way to Redis."""
    with Network(urlsplit(redis_url).port) as network:
        yield network


@contextmanager
def _client(url: str):
    pool = redis_pool(url)
    try:
        yield Client(connection_pool=pool)
    finally:
        pool.disconnect()


def test_redis_connection_uses_tls(network):
    with _encrypted(network.port) as port, _client(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none") as redis:
        assert redis.set("a key", "a value")
        assert redis.get("a key") == b"a value"
        assert redis.delete("a key") == 1
        network.stall()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            redis.get("a key")
        assert time.monotonic() - begun < ANSWERS_WITHIN + 5


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
@pytest.mark.parametrize("weather", [Network.stall, Network.swallow])
def test_command_to_a_silent_redis_times_out(network, scheme, weather):
    weather(network)
    begun = time.monotonic()
    with _client(f"{scheme}://127.0.0.1:{network.port}/0") as redis, pytest.raises(TimeoutError):
        redis.get("a key")
    assert time.monotonic() - begun < ANSWERS_WITHIN + 5


def test_blocking_command_has_its_own_timeout_in_addition(network):
    with _client(f"redis://127.0.0.1:{network.port}/0") as redis:
        assert redis.bzpopmin("no queue", timeout=ANSWERS_WITHIN + 0.5) is None
