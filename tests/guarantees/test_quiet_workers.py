"""Quiet workers: they finish what they run and take nothing else, and whoever else is there takes the rest at once."""

import time
from itertools import count

import pytest

from tasks.engine.presence import HEARD_EVERY
from tests.guarantees.sites import SWEEP, Workshop, assert_stamped_once, is_done, is_under_way, process_of, state_of
from tests.guarantees.worker import stamp
from tests.processes import Process, until
from webapp.models import State, Task, User, Worker

_numbers = count(1)
HEARD = min(SWEEP, HEARD_EVERY) + 1  # seconds, with the pause between two looks


@pytest.fixture
def site(shared_site):
    """A site on each storage in turn, without any worker at first."""
    with shared_site.entered():
        shared_site.rest()
        yield shared_site
        shared_site.rest()


def _start(site: Workshop) -> Worker:
    """Another worker of the site, which has said that it is there."""
    process = site.start_worker(f"worker-{next(_numbers)}")
    return until(lambda: Worker.get_or_none(Worker.pid == process.popen.pid))


def _process(site: Workshop, worker: Worker) -> Process:
    [process] = [each for each in site.processes.values() if each.popen.pid == worker.pid]
    return process


def _quiet(site: Workshop, worker: Worker) -> None:
    """Quiet it, and wait until it has heard of that."""
    assert worker.quiet()
    until(lambda: "The worker is quiet" in _process(site, worker).output(), HEARD + 5)


def _worker_of(task: Task) -> str | None:
    return Task.get_by_id(task.id).worker


def test_a_quiet_worker_empties_while_another_takes_the_rest_at_once(site, user):
    one = _start(site)
    running = [stamp.launch(User.register_guest(), steps=80) for _ in range(one.processes)]
    until(lambda: all(is_under_way(task) for task in running))
    waiting = [stamp.launch(User.register_guest(), steps=3, pause=0.0) for _ in range(6)]
    _quiet(site, one)
    other = _start(site)
    assert_stamped_once(*waiting, *running)
    assert {_worker_of(task) for task in running} == {one.token}, "it finished what it ran"
    assert {_worker_of(task) for task in waiting} == {other.token}, "and took nothing else"
    assert {Task.get_by_id(task.id).rescues for task in running} == {0}


def test_with_one_of_two_workers_quiet_tasks_start_as_fast_as_ever(site, user):
    one, other = _start(site), _start(site)
    assert_stamped_once(stamp.launch(user, steps=1, pause=0.0))
    _quiet(site, one)
    waits = []
    for _ in range(12):
        task = stamp.launch(user, steps=1, pause=0.0)
        assert_stamped_once(task)
        now = Task.get_by_id(task.id)
        assert now.worker == other.token
        waits.append((now.started_at - now.ready_at).total_seconds())
    assert sorted(waits)[-2] < 0.5, "no wake-up was lost to who may not claim"


def test_where_all_are_quiet_tasks_wait_and_one_that_is_resumed_takes_them(site, user):
    one = _start(site)
    _quiet(site, one)
    site.send_wakeups(3)
    task = stamp.launch(user, steps=2, pause=0.0)
    time.sleep(1.5)  # nothing is to happen
    assert (state_of(task), Task.get_by_id(task.id).attempts) == (State.PENDING, 0)
    assert Worker.get_by_id(one.token).is_alive, "it goes on saying that it is there"
    one.resume()
    assert_stamped_once(task, patience=HEARD + 10)


def test_a_quiet_worker_goes_on_sweeping(site, user):
    one = _start(site)
    task = stamp.launch(user, steps=60)
    process = process_of(task)
    until(lambda: is_under_way(task))
    _quiet(site, one)
    process.kill()
    until(lambda: state_of(task) == State.PENDING)
    assert Worker.get_by_id(one.token).quiet_at
    other = _start(site)
    assert_stamped_once(task)
    assert _worker_of(task) == other.token


def test_a_quiet_worker_whose_children_are_killed_stays_quiet(site, user):
    one = _start(site)
    task = stamp.launch(user, steps=60)
    until(lambda: is_under_way(task))
    _quiet(site, one)
    for child in _process(site, one).family()[1:]:
        child.kill()
    until(lambda: state_of(task) == State.PENDING)
    time.sleep(1.5)  # its new children are to take nothing
    assert (state_of(task), is_done(task)) == (State.PENDING, False)
    _process(site, one).stop()
    _start(site)
    assert_stamped_once(task)


@pytest.mark.parametrize("shared_site", ["sqlite and redis", "postgres and redis"], indirect=True)
def test_a_quiet_worker_claims_nothing_where_the_queue_does_not_answer_either(site, redis, user):
    one = _start(site)
    _quiet(site, one)
    redis.kill()
    try:
        task = stamp.launch(user, steps=1)
        time.sleep(3)  # workers look by themselves each second then
        assert state_of(task) == State.PENDING
        one.resume()
        assert_stamped_once(task, patience=HEARD + 20)
    finally:
        redis.start()
