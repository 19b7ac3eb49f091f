"""Messages that are lost, never sent or sent for nothing, and a queue that is down."""

import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from tasks.engine.sweeper import Sweeper
from tasks.queue import huey
from tests.guarantees.sites import BOOT, LEADS, LOOK, SWEEP, assert_stamped_once, is_done, is_under_way, kinds
from tests.guarantees.worker import stamp
from tests.processes import ROOT, Process, until
from tests.surfing import Surfer
from webapp.models import State, Task, User

UNTOUCHED = ["launched", "started", "succeeded"]
AWAY, BACK = "The queue does not answer", "The queue answers again"
MOST_LINES = 6  # the queue, the database and the sweeper, each that it is away and that it is back
OF_RUNS = " tasks.engine.rescue: ", " tasks.engine.executor: "
WITH_REDIS = pytest.mark.parametrize("shared_site", ["sqlite and redis", "postgres and redis"], indirect=True)


@pytest.mark.parametrize("shared_site", ["sqlite", "postgres and redis"], indirect=True)
def test_a_task_whose_web_process_was_killed_before_its_wakeup_gets_one_by_the_sweeper(site, user):
    site.rest()
    dying = [sys.executable, "-m", "tests.guarantees.dies_before_wakeup", str(user.id)]
    assert subprocess.run(dying, env=site.env, cwd=ROOT).returncode == -signal.SIGKILL
    [task] = Task.select().where(Task.user == user)
    assert (task.state, site.messages()) == (State.PENDING, 0)
    site.worker()
    begun = time.monotonic()
    assert_stamped_once(task)
    assert time.monotonic() - begun < LEADS + SWEEP + 2 * LOOK + BOOT
    assert kinds(task) == UNTOUCHED


def test_all_tasks_are_done_when_the_queue_loses_its_messages(site, user):
    site.rest()
    tasks = [stamp.launch(user, steps=2, pause=0.05) for _ in range(30)]
    assert site.messages() > 5
    worker = site.worker()
    until(lambda: is_under_way(tasks[0]) or is_done(tasks[0]))
    site.empty_queue()
    assert not is_done(*tasks)
    assert_stamped_once(*tasks)
    assert {tuple(kinds(task)) for task in tasks} == {tuple(UNTOUCHED)}
    assert worker.popen.poll() is None


@WITH_REDIS
def test_tasks_are_started_and_done_while_redis_is_down(site, redis, user):
    site.start_web()
    worker = site.worker()
    guest = Surfer(site.url)
    guest.submit("/guest")
    begun = time.monotonic()
    guest.start("countdown", seconds="1")
    usual = time.monotonic() - begun
    redis.kill()
    try:
        begun = time.monotonic()
        paths = [guest.start("countdown", seconds="1") for _ in range(3)]
        assert time.monotonic() - begun < 10 + 6 * usual, "nobody waits long for a queue that is not there"
        task = stamp.launch(user, steps=3)
        for path in paths:
            until(lambda path=path: guest.state_of(path) == "succeeded")
        assert_stamped_once(task)
    finally:
        redis.start()
    until(lambda: BACK in worker.output())
    # On a busy machine a run may seem lost and be continued, whatever the queue does: that is told of each.
    of_outage = [line for line in _trouble(worker) if not any(logger in line for logger in OF_RUNS)]
    assert len(of_outage) <= MOST_LINES, worker.output()
    after = stamp.launch(user, steps=3)
    assert_stamped_once(after)
    assert worker.popen.poll() is None


def test_a_worker_whose_redis_wants_another_password_says_so_and_does_its_work(new_site, redis):
    url = redis.url.replace("redis://", "redis://:wrong@")
    site = new_site("sqlite", REDIS_URL=url)
    with site.entered():
        worker = site.worker()
        tasks = [stamp.launch(User.register_guest(), steps=3) for _ in range(3)]
        assert_stamped_once(*tasks)
        site.stop("worker")
    [told] = _trouble(worker)
    assert AWAY in told
    assert "AUTH" in told


@pytest.mark.parametrize("shared_site", ["postgres"], indirect=True)
def test_a_worker_whose_queue_is_a_database_that_is_away_waits_for_it_in_silence(site, postgres, user):
    site.rest()
    worker = site.worker()
    assert_stamped_once(stamp.launch(user, steps=1))
    said = len(_trouble(worker))
    site.disconnect()
    postgres.stop(signal.SIGINT)
    try:
        until(lambda: AWAY in worker.output())
    finally:
        postgres.start()
    until(lambda: BACK in worker.output())
    assert len(_trouble(worker)) - said <= MOST_LINES, worker.output()
    assert_stamped_once(stamp.launch(user, steps=1))


def _trouble(worker: Process) -> list[str]:
    """What it has said besides how its tasks have gone."""
    return [line for line in worker.output().splitlines() if " INFO " not in line]


def test_two_thousand_waiting_tasks_get_exactly_the_wakeups_that_were_lost(site, user, configure):
    _check_that_only_lost_wakeups_are_sent(site, user, configure, 2000)


@pytest.mark.parametrize("shared_site", ["sqlite and redis"], indirect=True)
def test_twenty_thousand_waiting_tasks_get_exactly_the_wakeups_that_were_lost(site, user, configure):
    _check_that_only_lost_wakeups_are_sent(site, user, configure, 20_000)


def _check_that_only_lost_wakeups_are_sent(site, user, configure, number: int) -> None:
    site.rest()
    configure(sweep=timedelta(0))  # each look is a sweep
    sweeper = Sweeper()
    _wait_in_line(user, number)
    site.send_wakeups(number)
    for _ in range(5):
        sweeper.look()
    assert site.messages() == number
    for _ in range(30):
        huey.dequeue()
    for _ in range(5):
        sweeper.look()
    assert site.messages() == number
    sweeper.resign()
    Task.delete().where(Task.user == user).execute()
    site.empty_queue()


def _wait_in_line(user, number: int) -> None:
    """Many tasks that nobody has taken, written at once."""
    row = {"user": user.id, "name": stamp.name, "title": "Stamp", "arguments": {"steps": 1, "pause": 0.0}}
    for first in range(0, number, 500):
        rows = [row | {"queue_key": turn} for turn in range(first, first + 500)]
        Task.insert_many(rows).execute()
