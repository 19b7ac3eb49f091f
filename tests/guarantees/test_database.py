"""A database that restarts or crashes, and a disk that is full."""

import resource
import signal

import psutil
import pytest

from tasks.engine.models.phrases import DIED_REPEATEDLY
from tests.guarantees.sites import assert_stamped_once, assert_written_once, is_under_way
from tests.guarantees.worker import stamp, write_lines
from tests.processes import Process, until
from webapp.lib.times import utcnow
from webapp.models import State, Task

ON_POSTGRES = pytest.mark.parametrize(
    ("shared_site", "signum"),
    [("postgres and redis", signal.SIGINT), ("postgres", signal.SIGQUIT)],
    ids=["restarts", "crashes"],
    indirect=["shared_site"],
)
ON_SQLITE = pytest.mark.parametrize("shared_site", ["sqlite"], indirect=True)
NOTHING_FITS = 4096  # bytes: less than what the smallest transaction writes


@ON_POSTGRES
def test_tasks_survive_a_database_that_goes_away_and_comes_back(site, postgres, user, signum):
    worker = site.worker()
    running, writing = stamp.launch(user, steps=40), write_lines.launch(user, lines=60)
    waiting = [stamp.launch(user, steps=3) for _ in range(5)]
    until(lambda: is_under_way(running) and is_under_way(writing))
    site.disconnect()
    postgres.stop(signum)
    postgres.start()
    assert_stamped_once(running, *waiting)
    assert_written_once(writing)
    assert worker.popen.poll() is None
    assert Task.get_by_id(running.id).attempts == 1, "it was not its fault"
    assert str(DIED_REPEATEDLY()) not in {event.text for event in running.timeline()}


@ON_SQLITE
def test_tasks_survive_a_full_disk(site, user):
    worker = site.worker()
    tasks = [stamp.launch(user, steps=40) for _ in range(3)]
    until(lambda: is_under_way(tasks[0]))
    _limit_files_of(worker, NOTHING_FITS)
    until(lambda: Task.select().where(Task.state == State.IN_PROGRESS, Task.lease_until < utcnow()).exists())
    _limit_files_of(worker, resource.RLIM_INFINITY)
    assert_stamped_once(*tasks)
    assert worker.popen.poll() is None


def _limit_files_of(worker: Process, size: int) -> None:
    """Let no process of the worker write behind this many bytes of any file, as on a full disk."""
    for process in worker.family():
        process.rlimit(psutil.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
