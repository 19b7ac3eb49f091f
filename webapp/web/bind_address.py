"""The addresses that the web process binds, unless gunicorn is told otherwise."""

import socket
from contextlib import closing

from webapp.settings import Settings


def addresses(settings: Settings) -> list[str]:
    """The addresses to bind: loopback only, or every address of the machine by IPv4 and, if available, IPv6.

    One IPv6 socket takes both, except on systems that keep them apart, which need two.
    """
    if not settings.listen_everywhere:
        return [f"127.0.0.1:{settings.port}"]
    ipv4, ipv6 = f"0.0.0.0:{settings.port}", f"[::]:{settings.port}"
    try:
        with closing(socket.socket(socket.AF_INET6)) as probe:
            probe.bind(("::", 0))
            takes_both = not probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return [ipv4]  # IPv6 is turned off
    return [ipv6] if takes_both else [ipv4, ipv6]


def words(settings: Settings) -> str:
    """What the log says about those addresses."""
    if settings.listen_everywhere:
        return "Everybody who reaches this dyno or container can connect; --bind in GUNICORN_CMD_ARGS changes that"
    return "Only this machine can connect, such as a proxy on it; --bind in GUNICORN_CMD_ARGS changes that"
