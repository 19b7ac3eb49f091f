"""Mail the admins about errors. A sweep hook and no task: nobody owns it, and no worker process waits for its mails."""

import logging
import threading
import time

from flask import Flask, current_app

from tasks.engine import sweep_hook
from webapp import mail
from webapp.db import database
from webapp.db.resilience import is_unavailable
from webapp.mail import error_mails

log = logging.getLogger(__name__)

AGAIN_AFTER = 60.0  # seconds, where the mail server is away


class _Sender:
    """Sends in a thread of its own, one at a time: the sweeper waits for no mail server."""

    def __init__(self) -> None:
        self._is_sending = threading.Lock()
        self._not_before = 0.0

    def begin(self, app: Flask) -> threading.Thread | None:
        """Begin to send what is due, unless that is under way, or the mail server was away just now."""
        if time.monotonic() < self._not_before or not self._is_sending.acquire(blocking=False):
            return None
        try:
            thread = threading.Thread(target=self._send, args=(app,), name="error mails", daemon=True)
            thread.start()
        except BaseException:
            self._is_sending.release()
            raise
        return thread

    def _send(self, app: Flask) -> None:
        try:
            with app.app_context():
                if not error_mails.send_due(app.config["SETTINGS"].admins):
                    self._not_before = time.monotonic() + AGAIN_AFTER
        except Exception as error:
            if not is_unavailable(error):
                log.exception("Errors could not be mailed")
            self._not_before = time.monotonic() + AGAIN_AFTER
        finally:
            database.close()
            self._is_sending.release()


sender = _Sender()


@sweep_hook
def mail_errors(_: int) -> None:
    """Begin to mail what is due. Without ADMINS nothing is asked; otherwise one query by index."""
    settings = current_app.config["SETTINGS"]
    if settings.admins and not settings.sentry_dsn and mail.is_configured() and error_mails.are_due():
        sender.begin(current_app._get_current_object())  # type: ignore[attr-defined]
