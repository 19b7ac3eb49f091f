"""The sweeper's process, one in each worker."""

import logging
from socket import getaddrinfo
from threading import Thread

from huey.consumer import BaseProcess, ForkSafeFlag

from tasks.engine import executor
from tasks.engine.config import config
from tasks.engine.sweeper import Sweeper
from tasks.queue import Queue
from webapp.db.resilience import away, is_unavailable
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)


class SweeperProcess(BaseProcess):
    """Stands in the place of Huey's scheduler, which nothing needs: schedules live in rows."""

    def __init__(self, huey: Queue, stop_flag: ForkSafeFlag, mail_server: str | None, sweeper: Sweeper) -> None:
        super().__init__(huey, stop_flag)
        self._mail_server = mail_server
        self._trouble = Outage(log, "Could not sweep", "The sweeper works again")
        self._sweeper = sweeper

    def initialize(self) -> None:
        """Called once in the new process: see whether the mail server's name resolves, which may take long."""
        if self._mail_server:
            Thread(target=_resolve, args=(self._mail_server,), name="resolver", daemon=True).start()

    def loop(self, now: object = None) -> None:
        """One look, and a pause."""
        try:
            with executor.run_context():
                self._sweeper.look()
        except Exception as error:
            if is_unavailable(error):
                away.failed(error)
            else:
                self._trouble.failed(error, traceback=True)
        else:
            self._trouble.is_over()
            away.is_over()
        self.stop_flag.wait(config().look_every)

    def shutdown(self) -> None:
        """Let another worker's sweeper lead at once."""
        try:
            self._sweeper.resign()
        except Exception as error:
            log.warning("Could not hand over the sweeper's lead: %s", error)


def _resolve(mail_server: str) -> None:
    try:
        getaddrinfo(mail_server, None)
    except (OSError, UnicodeError) as error:
        log.warning("MAIL_SERVER cannot be resolved here, so no mail is sent: %s: %s", mail_server, error)
