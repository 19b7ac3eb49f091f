"""Tasks that end when a test wants it."""

from datetime import datetime, timedelta

import pytest

from webapp.dev.factories import make_task, make_user
from webapp.models import State

SECOND = timedelta(seconds=1)


@pytest.fixture
def end():
    """Ends a task at a moment, after it waited and ran for so many seconds."""
    user = make_user()

    def ends(at: datetime, outcome: State = State.SUCCEEDED, wait: float = 1, run: float = 2, **fields):
        started = at - run * SECOND
        times = {"ready_at": started - wait * SECOND, "started_at": started, "finished_at": at, "run_seconds": run}
        return make_task(outcome, user, **times | fields)

    return ends
