"""Mail in a thread of its own: what the site tells those who look after it, and nobody here may wait for."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from flask import Flask

from webapp.db import database
from webapp.db.resilience import is_unavailable

log = logging.getLogger(__name__)

AGAIN_AFTER = 60.0  # seconds, where the mail server is away


class MailThread:
    """Sends what is due, one thread at a time: who begins that waits for no mail server.

    `send_due(admins)` needs an app context, and returns False if the mail server is away. `words` is what the log says
    of a fault in the code.
    """

    def __init__(self, send_due: Callable[[Sequence[str]], bool], words: str) -> None:
        self._send_due, self._words = send_due, words
        self._is_sending = threading.Lock()
        self._not_before = 0.0

    def begin(self, app: Flask) -> threading.Thread | None:
        """Begin to send, unless that is under way, or the mail server was away just now."""
        if time.monotonic() < self._not_before or not self._is_sending.acquire(blocking=False):
            return None
        try:
            thread = threading.Thread(target=self._send, args=(app,), name="mails to admins", daemon=True)
            thread.start()
        except BaseException:
            self._is_sending.release()
            raise
        return thread

    def _send(self, app: Flask) -> None:
        try:
            with app.app_context():
                if not self._send_due(app.config["SETTINGS"].admins):
                    self._not_before = time.monotonic() + AGAIN_AFTER
        except Exception as error:
            if not is_unavailable(error):
                log.exception("%s", self._words)
            self._not_before = time.monotonic() + AGAIN_AFTER
        finally:
            database.close()
            self._is_sending.release()
