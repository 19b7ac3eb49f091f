"""The sweeper's process, one in each worker."""

import logging
from collections.abc import Callable
from threading import Thread

from huey import Huey
from huey.consumer import BaseProcess, ForkSafeFlag

from tasks.engine.config import config
from tasks.engine.sweeper import Sweeper
from webapp.db.resilience import away, is_unavailable
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)


class SweeperProcess(BaseProcess):
    """Stands in the place of Huey's scheduler, which nothing needs: schedules live in rows."""

    def __init__(self, huey: Huey, stop_flag: ForkSafeFlag, on_start: Callable[[], object], sweeper: Sweeper) -> None:
        super().__init__(huey, stop_flag)
        self._on_start = on_start
        self._trouble = Outage(log, "Could not sweep", "The sweeper works again")
        self._sweeper = sweeper

    def initialize(self) -> None:
        """Called once in the new process."""
        Thread(target=self._on_start, name="on start", daemon=True).start()

    def loop(self, now: object = None) -> None:
        """One look, and a pause."""
        try:
            with config().run_context():
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
