"""The smallest task."""

import time

from tasks.countdown import countdown
from webapp.dev.factories import make_user
from webapp.models import State


def test_it_takes_a_step_a_second(app, run_tasks):
    task, begun = countdown.launch(make_user(), seconds=2), time.monotonic()
    run_tasks()
    assert time.monotonic() - begun >= 2
    task.reload()
    assert (task.state, task.done, task.total, task.title) == (State.SUCCEEDED, 2, 2, "Count down from 2")
