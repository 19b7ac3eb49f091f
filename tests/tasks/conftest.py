"""What tests of tasks arrange with: running a function as a worker would, and what may happen to it on the way."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tasks.engine import executor
from tasks.engine.config import config
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import Task


class Killed(BaseException):
    """What a run raises that is killed in the middle of it; the engine records nothing of it."""


@pytest.fixture
def checkpoints(configure) -> Callable[..., None]:
    """A function that says, in seconds, for how long steps that write `hold` a transaction, and how often those that
    write nothing come to a checkpoint: 0 is after each step, 60 at the end, however slow the machine is."""

    def checkpoints(hold: float = config().hold_at_most, every: float = config().checkpoint_every) -> None:
        configure(hold_at_most=hold, checkpoint_every=every)

    return checkpoints


@pytest.fixture
def quick_heartbeat(configure):
    """The heartbeat beats fifty times a second, so that a test need not wait for it."""
    configure(report_every=0.02)


@pytest.fixture
def execute(declare, run_tasks):
    """A function that launches a task function and executes it as a worker would; returns the task."""

    def execute(body, **arguments) -> Task:
        task = declare(title="A task of a test")(body).launch(make_user(), **arguments)
        run_tasks()
        return task.reload()

    return execute


@pytest.fixture
def no_heartbeat(configure):
    """No other thread writes to the row, or keeps a connection for longer than the database of the test lives."""
    configure(heartbeat=False)


@pytest.fixture
def live_on(app) -> Callable[[Task], Task]:
    """A function that runs a task to its end, however often its runs are killed: each is rescued, and another begins.

    Its other attempts begin at once.
    """

    def live_on(task: Task) -> Task:
        for _ in range(20):
            try:
                executor.execute_next()
            except Killed:
                Task.update(lease_until=utcnow() - timedelta(seconds=1)).where(Task.id == task.id).execute()
                assert [lost.rescue() for lost in Task.lost(10)] == [True]
            Task.update(run_at=utcnow()).where(Task.run_at.is_null(False)).execute()
            for due in Task.due(10):
                due.enqueue()
            if task.reload().is_finished:
                return task
        raise AssertionError(f"it is still {task.state}")

    return live_on


@pytest.fixture
def kill():
    """`kill("here")` ends a run where it first comes by; once for each name."""
    known = set()

    def kill(name: object) -> None:
        if name not in known:
            known.add(name)
            raise Killed

    return kill
