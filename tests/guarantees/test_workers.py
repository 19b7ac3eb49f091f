"""Workers that are killed, stopped and frozen, and clocks that jump."""

import time
from datetime import timedelta

import psutil
import pytest

from tasks.engine import chain
from tests.guarantees.sites import (
    BOOT,
    LEADS,
    LEASE,
    LOOK,
    SWEEP,
    assert_stamped_once,
    assert_written_once,
    has_written,
    is_done,
    is_under_way,
    kinds,
    process_of,
    processes_of,
    stamps_of,
    state_of,
)
from tests.guarantees.worker import stamp, write_lines
from tests.processes import PATIENCE, until
from webapp.lib import logs
from webapp.lib.times import utcnow
from webapp.models import Leader, State, Task, Worker

RESCUED = ["launched", "started", "pending", "started", "succeeded"]
HOUR = timedelta(hours=1)
PROCESSES = 2  # of a worker, by default
ON_EACH_DATABASE = pytest.mark.parametrize("shared_site", ["sqlite", "postgres"], indirect=True)


def test_tasks_whose_processes_are_killed_go_on_in_others_from_their_checkpoints(site, user):
    site.worker()
    stamping, writing = stamp.launch(user, steps=50, pause=0.03), write_lines.launch(user, pause=0.04)
    until(lambda: is_under_way(stamping) and has_written(writing))
    killed = {process_of(stamping), process_of(writing)}
    for process in killed:
        process.kill()
    begun = time.monotonic()
    until(lambda: min(len(kinds(stamping)), len(kinds(writing))) >= 4)
    assert time.monotonic() - begun < LEASE + SWEEP + 2 * LOOK + BOOT, "a new process takes it, and nobody waits longer"
    assert_stamped_once(stamping)
    assert_written_once(writing)
    assert kinds(stamping) == kinds(writing) == RESCUED
    assert killed.isdisjoint({process_of(stamping), process_of(writing)})


def test_the_lines_of_a_worker_name_the_request_that_started_its_task(site, user):
    with logs.context(request_id="press-1"):
        pressed = stamp.launch(user, steps=1)
        composed = chain(stamp.s(steps=1), stamp.s(steps=1)).launch(user)
    other = stamp.launch(user, steps=1)
    worker = site.worker()
    until(lambda: is_done(pressed, composed, other))
    lines = worker.output().splitlines()
    for task in (pressed, *composed.children()):
        assert {" request_id=press-1 " in line for line in lines if f" task_id={task.id} " in line} == {True}
    assert {" request_id=" in line for line in lines if f" task_id={other.id} " in line} == {False}


def test_a_killed_consumer_takes_its_children_along_and_a_new_worker_goes_on(site, user):
    site.worker()
    task = stamp.launch(user)
    until(lambda: is_under_way(task))
    site.kill_worker()
    begun = time.monotonic()
    site.start_worker()
    until(lambda: len(kinds(task)) >= 4)
    assert time.monotonic() - begun < LEADS + LEASE + SWEEP + 2 * LOOK + BOOT, "the sweeper had died, too"
    assert_stamped_once(task)
    assert kinds(task) == RESCUED


def _term_the_worker(family: list[psutil.Process]) -> None:
    family[0].terminate()


def _term_everybody(family: list[psutil.Process]) -> None:
    """What a container's host does: TERM to each process, children first."""
    for process in reversed(family):
        process.terminate()


@pytest.mark.parametrize(
    ("shared_site", "stop"),
    [
        ("sqlite", _term_everybody),
        ("sqlite and redis", _term_the_worker),
        ("postgres and redis", _term_everybody),
        ("postgres", _term_the_worker),
    ],
    indirect=["shared_site"],
)
def test_a_worker_that_is_told_to_stop_gives_its_tasks_back_at_once(site, user, stop):
    worker = site.worker()
    known = Worker.select().where(Worker.pid == worker.popen.pid)
    task = stamp.launch(user)
    until(lambda: is_under_way(task))
    assert until(known.first).processes == PROCESSES
    family = worker.family()
    stop(family)
    assert worker.popen.wait(10) == 0
    psutil.wait_procs(family, timeout=PATIENCE)
    assert state_of(task) == State.PENDING
    assert not known.exists()
    assert stamps_of(task).keys() == set(range(Task.get_by_id(task.id).done)), "what it has counted is there"
    site.start_worker()
    assert_stamped_once(task)
    now = Task.get_by_id(task.id)
    assert (now.rescues, now.attempts, kinds(task)) == (0, 1, RESCUED)


@ON_EACH_DATABASE
def test_a_process_that_froze_until_another_had_done_its_task_writes_nothing_more(site, user):
    site.worker()
    task = stamp.launch(user)
    until(lambda: is_under_way(task))
    frozen = process_of(task)
    frozen.suspend()
    try:
        until(lambda: is_done(task))
        assert_stamped_once(task)
        before = (kinds(task), Task.get_by_id(task.id))
    finally:
        frozen.resume()
    after = stamp.launch(user, steps=2, pause=0.0)
    until(lambda: is_done(after))
    until(lambda: "was taken over by another run" in site.worker().output())
    assert frozen.is_running(), "it goes on with other tasks"
    assert_stamped_once(task)
    now = Task.get_by_id(task.id)
    assert (kinds(task), now.fencing_token, now.updated_at) == (
        before[0],
        before[1].fencing_token,
        before[1].updated_at,
    )


def test_a_task_with_many_wakeups_runs_once(site, user):
    site.worker()
    task = stamp.launch(user, steps=10)
    site.send_wakeups(100)
    assert_stamped_once(task)
    until(lambda: site.messages() == 0)
    assert kinds(task) == ["launched", "started", "succeeded"]
    assert len(processes_of(task)) == 1


@ON_EACH_DATABASE
def test_a_clock_that_is_set_back_an_hour_holds_nothing_up(site, user):
    site.worker()
    task = stamp.launch(user)
    until(lambda: is_under_way(task))
    site.kill_worker()
    Task.update(lease_until=Task.get_by_id(task.id).lease_until + HOUR).where(Task.id == task.id).execute()
    Leader.update(until=utcnow() + HOUR).execute()
    begun = time.monotonic()
    site.start_worker()
    until(lambda: len(kinds(task)) >= 4)
    assert time.monotonic() - begun < 2 * LEASE + SWEEP + 2 * LOOK + BOOT
    assert_stamped_once(task)
    assert kinds(task) == RESCUED


@ON_EACH_DATABASE
def test_a_clock_that_is_set_forward_an_hour_repeats_no_effect(site, user):
    site.worker()
    task = stamp.launch(user, steps=40)
    until(lambda: is_under_way(task))
    Task.update(lease_until=utcnow() - HOUR).where(Task.id == task.id).execute()
    assert_stamped_once(task)
