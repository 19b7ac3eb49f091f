"""A kind is paused and limited while its tasks run in real workers, and processes die in the middle."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from tests.guarantees.sites import assert_stamped_once, is_done, is_under_way, process_of
from tests.guarantees.worker import stamp
from tests.processes import until
from webapp.lib.times import utcnow
from webapp.models import KindControl, State, Task

ON_EACH_DATABASE = pytest.mark.parametrize("shared_site", ["sqlite", "postgres"], indirect=True)
MOMENT = timedelta(seconds=3)
# Pauses the kind for a moment, and is killed before the commit, or after it.
PAUSES = """
import os, signal
from datetime import timedelta
from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models import KindControl
from webapp.settings import Settings
from webapp.storage import use_storage
use_storage(Settings.from_env())
with database.transaction():
    KindControl.pause("stamp", utcnow() + timedelta(seconds=3), stop_running=False)
    {inside}
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def nothing_held(site):
    """What one test pauses or limits holds no task of the next one."""
    yield
    KindControl.delete().execute()


def _running() -> int:
    """How many run at one moment, as one statement sees it. By the times in rows, one that began to claim as another
    was about to end would seem to have run beside it.
    """
    return Task.select().where(Task.name == "stamp", Task.fencing_token.is_null(False)).count()


@ON_EACH_DATABASE
def test_all_tasks_of_a_paused_kind_run_once_it_ends_though_a_worker_is_killed_meanwhile(site, user):
    site.worker()
    tasks = [stamp.launch(user, steps=5, pause=0.1) for _ in range(6)]
    until(lambda: is_under_way(tasks[0]))
    KindControl.pause("stamp", utcnow() + MOMENT)
    process_of(tasks[0]).kill()
    until(lambda: is_done(*tasks))
    for task in tasks:
        assert_stamped_once(task)
    until(lambda: not KindControl.all())


@ON_EACH_DATABASE
def test_no_limit_is_exceeded_by_two_workers(site, user):
    KindControl.limit("stamp", running=2)
    for name in ("one", "other"):  # of two processes each
        site.start_worker(name)
    tasks = [stamp.launch(user, steps=2, pause=0.02) for _ in range(12)]
    seen = set()
    until(lambda: seen.add(_running()) or is_done(*tasks))
    for task in tasks:
        assert_stamped_once(task)
    assert max(seen) == 2


@ON_EACH_DATABASE
@pytest.mark.parametrize("inside", ["os.kill(os.getpid(), signal.SIGKILL)", "pass"], ids=["before", "after"])
def test_whoever_pauses_a_kind_and_is_killed_has_done_so_or_not(site, user, inside):
    script = PAUSES.format(inside=inside)
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, **site.env})
    assert done.returncode == -signal.SIGKILL
    assert bool(KindControl.all()) == (inside == "pass")
    tasks = [stamp.launch(user, steps=1) for _ in range(3)]
    site.worker()
    until(lambda: is_done(*tasks))
    for task in tasks:
        assert_stamped_once(task)
        assert task.reload().state == State.SUCCEEDED
