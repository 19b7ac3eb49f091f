"""The MAIL_ variables: the SMTP server, how the connection is encrypted, and the sender."""

import re
from email.utils import parseaddr
from typing import TypedDict

from webapp.lib.environment import Reader
from webapp.lib.service_urls import HOST, LOOPBACK

ADDRESS = re.compile(r"[!-?A-~]{1,64}@[^\s@]{1,253}")  # few mail servers take other than ASCII before the @


class MailSettings(TypedDict):
    """The settings of mail by their names; `mail_server` is None where mail cannot be sent at all."""

    mail_server: str | None
    mail_port: int
    mail_username: str | None
    mail_password: str | None
    mail_use_tls: bool
    mail_use_ssl: bool
    mail_default_sender: str


def read_mail_server(read: Reader, mailbox_port: int | None, default_sender: str) -> MailSettings:
    """Each setting of mail by its name; remembers as problems what does not go together.

    With a `mailbox_port`, and no MAIL_SERVER, the server is the mailbox on that port of this machine.
    """
    server, username, password = (read.text(f"MAIL_{name}") for name in ("SERVER", "USERNAME", "PASSWORD"))
    use_tls, use_ssl = read.flag("MAIL_USE_TLS", False), read.flag("MAIL_USE_SSL", False)
    if server and not HOST.fullmatch(server):
        read.problem("MAIL_SERVER", f"must be a host name, like smtp.example.com, not {server!r}")
    if use_tls and use_ssl:
        read.problem("MAIL_USE_TLS", "and MAIL_USE_SSL can't both be set: choose one")
    if bool(username) != bool(password):
        read.problem("MAIL_USERNAME", "and MAIL_PASSWORD go together: set both or neither")
    if username and not server:
        read.problem("MAIL_USERNAME", "is set, but MAIL_SERVER is not")
    if username and not (use_tls or use_ssl or server in LOOPBACK):
        read.problem("MAIL_USERNAME", "needs MAIL_USE_TLS or MAIL_USE_SSL: its password must not be sent unencrypted")
    sender = read.text("MAIL_DEFAULT_SENDER", default_sender)
    if not (sender.isprintable() and ADDRESS.fullmatch(parseaddr(sender)[1])):
        read.problem(
            "MAIL_DEFAULT_SENDER", f"must be an email address, like Errand <errand@example.com>, not {sender!r}"
        )
    return {
        "mail_server": "127.0.0.1" if mailbox_port else server or None,
        "mail_port": read.integer("MAIL_PORT", mailbox_port or (465 if use_ssl else 587), 1, 65535),
        "mail_username": username or None,
        "mail_password": password or None,
        "mail_use_tls": use_tls,
        "mail_use_ssl": use_ssl,
        "mail_default_sender": sender,
    }
