"""Tasks whose steps never end: an operator ends them, whatever their runs hold, and nothing brings them back."""

import time

import psutil
import pytest

from tests.guarantees.sites import (
    LEASE,
    LOOK,
    SWEEP,
    Workshop,
    assert_stamped_once,
    is_done,
    kinds,
    process_of,
    state_of,
)
from tests.guarantees.worker import hang, stamp
from tests.processes import until
from webapp.models import ForceEnd, Post, State, Task, User

WHY = "It blocks the printers."
SAID = f"Canceled by an operator, without waiting for the current step: {WHY}"
ENDED = ["launched", "started", "canceling", "canceled"]
WITHIN = 2 * LOOK + 3  # seconds, on a machine that is busy


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def patient(request, new_site):
    """A site where no clock ends a run while these tests last."""
    site = new_site(request.param, TASK_TIMEOUT_SECONDS="600")
    yield site
    site.close()


@pytest.fixture
def site(patient) -> Workshop:
    """The same, with this process being part of it."""
    with patient.entered():
        yield patient
        patient.rest()


def _is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _hanging(task: Task) -> psutil.Process:
    """The process of a task's run, once that hangs."""
    until(lambda: Task.get_by_id(task.id).done == 1)
    return process_of(task)


def _force(task: Task) -> None:
    Task.get_by_id(task.id).force_end(WHY)


@pytest.mark.parametrize("holds", [{}, {"interpreter": True}])
def test_a_run_that_hears_no_signal_is_killed_and_its_task_ends_as_canceled_for_the_reason_given(site, user, holds):
    site.worker()
    task = hang.launch(user, **holds)
    hanging = _hanging(task)
    begun = time.monotonic()
    _force(task)
    assert state_of(task) == State.CANCELING, "its owner sees at once that it is about to end"
    until(lambda: is_done(task) and _is_gone(hanging))
    assert time.monotonic() - begun < WITHIN
    now = Task.get_by_id(task.id)
    assert (now.state, now.rescues, now.fencing_token, kinds(task)) == (State.CANCELED, 0, None, ENDED)
    assert SAID in [event.words() for event in task.timeline()]
    assert_stamped_once(stamp.launch(User.register_guest(), steps=3))
    until(lambda: not ForceEnd.select().exists())
    assert (state_of(task), kinds(task)) == (State.CANCELED, ENDED), "nothing has brought it back"


# On SQLite nobody writes meanwhile, and a request as little as anything else.
@pytest.mark.parametrize("patient", ["postgres"], indirect=True)
def test_a_run_that_holds_locks_of_the_database_is_killed_and_its_step_undone(site, user):
    site.worker()
    task = hang.launch(user, writes=True, holds_row=True)
    hanging = _hanging(task)
    _force(task)
    until(lambda: is_done(task) and _is_gone(hanging))
    assert (state_of(task), kinds(task)) == (State.CANCELED, ENDED)
    assert not Post.select().where(Post.body.startswith(f"{task.id} ")).exists()


def test_the_other_task_of_that_worker_goes_on(site, user):
    site.worker()
    other, task = stamp.launch(user, steps=60), hang.launch(User.register_guest())
    _hanging(task)
    _force(task)
    until(lambda: is_done(task))
    assert_stamped_once(other)
    assert Task.get_by_id(other.id).rescues == 0


def test_a_task_whose_worker_is_gone_ends_by_whichever_sweeps_next(site, user):
    site.worker()
    task = hang.launch(user)
    _hanging(task)
    site.kill_worker()
    _force(task)
    site.start_worker()
    until(lambda: is_done(task))
    assert (state_of(task), Task.get_by_id(task.id).attempts) == (State.CANCELED, 1)
    assert kinds(task) == ENDED
    until(lambda: not ForceEnd.select().exists())


def test_a_worker_that_is_killed_after_it_was_asked_leaves_the_task_to_end_all_the_same(site, user):
    site.worker()
    task = hang.launch(user)
    _hanging(task)
    _force(task)
    site.kill_worker()
    site.start_worker()
    until(lambda: is_done(task), LEASE + SWEEP + 30)
    assert (state_of(task), kinds(task)) == (State.CANCELED, ENDED)


def test_a_task_that_was_ended_so_can_be_retried_by_hand_and_that_run_is_left_alone(site, user):
    site.worker()
    task = stamp.launch(user, steps=40)
    process_of(task)
    _force(task)
    until(lambda: is_done(task))
    Task.get_by_id(task.id).retry()
    assert_stamped_once(task)
