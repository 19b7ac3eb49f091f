"""Connections to the mail server that end with the deadline of whoever uses them, at whatever step the server hangs."""

import smtplib
import socket
import ssl
from typing import Any

from webapp.lib.deadline import Deadline, connect, current


class _Plain(smtplib.SMTP):
    """smtplib's, whose own timeout is for each read, so that a byte now and then would keep it for ever."""

    _limit: Deadline | None = None

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        self._limit = current()
        return connect(host, port)

    def send(self, s: Any) -> None:
        limit = current()
        if self.sock and limit is not self._limit:
            self._limit = limit
            limit.watch(self.sock)
        super().send(s)


class _Tls(smtplib.SMTP_SSL, _Plain):
    pass


def open_smtp(
    server: str, port: int, *, use_tls: bool, use_ssl: bool, username: str | None, password: str | None
) -> smtplib.SMTP:
    """A connection to a mail server, encrypted, its certificate verified, and signed in, as far as that is asked for.

    This and each later use of it needs a deadline around it. Raises OSError, as all of smtplib's exceptions are.
    """
    context = ssl.create_default_context()
    # smtplib would ask the name service who we are, which may take longer than the mail.
    options: dict[str, Any] = {"local_hostname": "localhost"}
    host = _Tls(server, port, context=context, **options) if use_ssl else _Plain(server, port, **options)
    try:
        host.local_hostname = _own_name(host.sock)
        if use_tls:
            host.starttls(context=context)
        if username and password:
            host.login(username, password)
    except BaseException:
        host.close()
        raise
    return host


def _own_name(sock: Any) -> str:
    """What we call ourselves (RFC 5321, 4.1.3): this machine's name if it is a whole one, else our address."""
    name = socket.gethostname()
    if "." in name:
        return name
    address = sock.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
