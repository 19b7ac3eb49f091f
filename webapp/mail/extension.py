"""Flask-Mail: where the mail settings are, and who is told of each mail that was sent."""

from typing import Any

import flask_mail
from flask import Flask, current_app

from webapp.settings import Settings

TIMEOUT = 20  # seconds for a mail in all, from the first packet to the server's last word about it

flask_mail_extension = flask_mail.Mail()


def init_app(app: Flask, settings: Settings) -> None:
    """Set Flask-Mail up from the settings, and `MAIL_TIMEOUT`, which is ours: the seconds that a mail may take in all.

    What `app.config` has already for `MAIL_TIMEOUT` and `MAIL_MAX_EMAILS` stays.
    """
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USERNAME=settings.mail_username,
        MAIL_PASSWORD=settings.mail_password,
        MAIL_USE_TLS=settings.mail_use_tls,
        MAIL_USE_SSL=settings.mail_use_ssl,
        MAIL_DEFAULT_SENDER=settings.mail_default_sender,
        MAIL_SUPPRESS_SEND=settings.mail_server is None,
    )
    app.config.setdefault("MAIL_TIMEOUT", TIMEOUT)
    flask_mail_extension.init_app(app)


def is_configured() -> bool:
    """Whether this site has a mail server at all. Needs an app context."""
    return current_app.config["MAIL_SERVER"] is not None


def mail_settings() -> Any:
    """Flask-Mail's settings of this app: `server`, `port`, `use_tls`, `default_sender`, `suppress` and so on.

    Needs an app context.
    """
    return current_app.extensions["mail"]


def timeout() -> float:
    """The seconds that a mail may take in all. Needs an app context."""
    return float(current_app.config["MAIL_TIMEOUT"])
