"""A Redis connection pool on which every command has a deadline."""

import socket
from typing import Any

from redis import Connection, ConnectionPool, Redis, SSLConnection
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from webapp.lib.deadline import current, deadline
from webapp.lib.sockets import connect

ANSWERS_WITHIN = 1.5  # seconds for a command, including connecting; Redis itself takes a millisecond
BLOCKING = {"BZPOPMIN", "BRPOP", "BLPOP"}  # their last argument is how long Redis may wait before it answers


class _Connection(Connection):
    """A connection within its thread's deadline; redis-py's own timeouts are for each read."""

    def _connect(self) -> socket.socket:
        sock = connect(self.host, self.port)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in self.socket_keepalive_options.items():
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        sock.settimeout(self.socket_timeout)
        return sock

    def send_packed_command(self, command: object, check_health: bool = True) -> None:
        if self._sock:
            current().watch(self._sock)
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]


class _TlsConnection(SSLConnection, _Connection):
    pass


class Client(Redis):
    """A client whose commands raise TimeoutError or a RedisError after ANSWERS_WITHIN seconds at the latest.

    A blocking command has its own timeout in addition. A pipeline has no deadline: put one around it.
    """

    def execute_command(self, *args: Any, **options: object) -> Any:  # type: ignore[explicit-any]  # redis-py's
        """Redis-py's, within the deadline."""
        waits = float(args[-1]) if args[0] in BLOCKING else 0.0
        with deadline(waits + ANSWERS_WITHIN):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


def redis_pool(url: str) -> ConnectionPool:
    """A pool for the Redis at a URL, for any number of threads, and for forked children.

    It connects to nothing yet. Its connections need a deadline around each use. A failed command is not retried: the
    caller knows whether it may run twice, and how long a person has waited.
    """
    return ConnectionPool.from_url(
        url,
        connection_class=_TlsConnection if url.startswith("rediss") else _Connection,
        socket_timeout=None,  # the deadline has it
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,  # the command itself notices as fast
        # Each of these would cost another round trip before the first command.
        protocol=2,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
