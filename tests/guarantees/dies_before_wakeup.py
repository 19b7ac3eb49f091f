"""What a web process does that is killed between commit and message: `… <user's id>` starts a task and dies."""

import os
import signal
import sys

from tasks.engine.models.signals import launched
from tests.guarantees.worker import stamp
from webapp.models import Task, User
from webapp.settings import Settings
from webapp.storage import use_storage


@launched.connect
def _die(_: Task) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    settings = Settings.from_env()
    use_storage(settings)
    stamp.launch(User.get_by_id(int(sys.argv[1])), steps=5)
