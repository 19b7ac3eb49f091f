"""The limit that tracked tasks are measured against: Huey alone, with the same storage and consumer, doing nothing."""

import sys

from tasks.queue import huey
from tasks.worker import create_consumer
from webapp.settings import Settings


@huey.task(name="nothing")
def nothing() -> None:
    """No row, no progress, no outcome."""


if __name__ == "__main__":
    sys.exit(create_consumer(Settings.from_env()).run())
