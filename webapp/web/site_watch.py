"""The site's watch in each web process: where no sweeper works, only these can notice, and tell of it.

A thread looks once a minute, which usually is one small read. So as long as a web process serves, somebody is told that
no worker runs; where none does, only a probe from outside can tell (`/readyz`, `/metrics`, `flask health`).
"""

import logging
import random
import threading
from datetime import timedelta

from flask import Flask

from webapp import mail
from webapp.db import database
from webapp.db.resilience import is_unavailable
from webapp.mail import site_alert_mails
from webapp.mail.mail_thread import MailThread
from webapp.models import SiteAlert, site_health

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)

_sender = MailThread(site_alert_mails.send_due, "Site alerts could not be mailed")


def start(app: Flask) -> threading.Thread:
    """Watch from now on, until the process ends. After the fork: threads do not survive one."""
    thread = threading.Thread(target=_watch, args=(app,), name="site watch", daemon=True)
    thread.start()
    return thread


def look(app: Flask) -> None:
    """Look once. Where a sweeper works, nothing is judged or mailed. Raises where the database does not answer."""
    with app.app_context():
        if site_health.look_from_elsewhere() and mail.is_configured() and SiteAlert.is_mail_due():
            _sender.begin(app)


def _watch(app: Flask) -> None:
    nothing = threading.Event()
    while not nothing.wait(EVERY.total_seconds() * random.uniform(0.9, 1)):  # noqa: S311 - so that not all ask at once
        try:
            look(app)
        except Exception as error:
            if not is_unavailable(error):
                log.exception("The site could not be watched")
        finally:
            database.close()
