"""Connections to Redis on which no command takes longer than it may, whatever is at the other end."""

import socket
from typing import Any

from redis import Connection, ConnectionPool, Redis, SSLConnection
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from webapp.lib.deadline import current, deadline
from webapp.lib.sockets import connect

ANSWERS_WITHIN = 1.5  # seconds for a command, with all that it takes to connect; Redis itself needs a millisecond
BLOCKING = {"BZPOPMIN", "BRPOP", "BLPOP"}  # their last argument is how long Redis may wait before it answers


class _Connection(Connection):
    """One that belongs to its thread's deadline while it is used; redis-py's own timeouts are for each read."""

    def _connect(self) -> socket.socket:
        sock = connect(self.host, self.port)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in self.socket_keepalive_options.items():
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        sock.settimeout(self.socket_timeout)
        return sock

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if self._sock:
            current().watch(self._sock)
        super().send_packed_command(command, check_health)


class _TlsConnection(SSLConnection, _Connection):
    pass


class Client(Redis):
    """A client whose commands raise TimeoutError or a RedisError after ANSWERS_WITHIN seconds at the latest.

    A command for which Redis waits has that time besides. Pipelines are not among these: put a deadline around them.
    """

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """What redis-py says, within the time."""
        waits = float(args[-1]) if args[0] in BLOCKING else 0.0
        with deadline(waits + ANSWERS_WITHIN):
            return super().execute_command(*args, **options)


def redis_pool(url: str) -> ConnectionPool:
    """A pool for the Redis that a URL names, for any number of threads, and for children once the process has forked.

    Connects to nothing yet. Its connections want a deadline around all that is done with them. A command that fails is
    not tried again: that is left to those who know whether it may come twice and how long a person has waited.
    """
    return ConnectionPool.from_url(
        url,
        connection_class=_TlsConnection if url.startswith("rediss") else _Connection,
        socket_timeout=None,  # the deadline's business
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,  # the command itself finds out as fast
        # Each of these would be a round trip more before the first command, for nothing that Errand uses.
        protocol=2,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
