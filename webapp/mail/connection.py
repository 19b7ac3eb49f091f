"""Connections to the mail server that end with the deadline of whoever uses them, at whatever step the server hangs."""

import smtplib
import socket
import ssl
from contextlib import suppress
from typing import Any

from webapp.lib.deadline import Deadline, current, deadline
from webapp.lib.sockets import connect

QUIT_WITHIN = 2  # seconds, for goodbye


class _Smtp(smtplib.SMTP):
    """smtplib's, whose own timeout is for each read, so that a byte now and then would keep it for ever."""

    _limit: Deadline | None = None

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        self._limit = current()
        return connect(host, port)

    def send(self, s: Any) -> None:
        self._watch()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        self._watch()
        return super().getreply()

    def _watch(self) -> None:
        limit = current()
        if self.sock and limit is not self._limit:
            self._limit = limit
            limit.watch(self.sock)


class _SmtpOverTls(smtplib.SMTP_SSL, _Smtp):
    pass


def open_connection(
    server: str, port: int, *, use_tls: bool, use_ssl: bool, username: str | None, password: str | None
) -> smtplib.SMTP:
    """A connection to a mail server, encrypted, its certificate verified, and signed in, as far as that is asked for;
    what the server offers is known.

    This and each later use of it needs a deadline around it. Raises OSError, as all of smtplib's exceptions are.
    """
    # It reads every certificate of the system, which takes longer than a mail to a server near by.
    context = ssl.create_default_context() if use_tls or use_ssl else None
    # smtplib would ask the name service who we are, which may take longer than the mail.
    options: dict[str, Any] = {"local_hostname": "localhost"}
    smtp = _SmtpOverTls(server, port, context=context, **options) if use_ssl else _Smtp(server, port, **options)
    try:
        smtp.local_hostname = _own_name(smtp.sock)
        if use_tls:
            smtp.starttls(context=context)
        if username and password:
            smtp.login(username, password)
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def close_connection(smtp: smtplib.SMTP, within: float = QUIT_WITHIN) -> None:
    """Say goodbye, and hang up after `within` seconds whatever the server answers. Never raises an OSError, which would
    hide what the server said before.
    """
    with suppress(OSError), deadline(within):
        smtp.quit()
    smtp.close()


def _own_name(sock: Any) -> str:
    """What we call ourselves (RFC 5321, 4.1.3): this machine's name if it is a whole one, else our address."""
    name = socket.gethostname()
    if "." in name:
        return name
    address = sock.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
