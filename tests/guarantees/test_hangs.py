"""Runs that hang: whatever they hold, they are ended, and what is told of them is true."""

import psutil
import pytest

from tests.guarantees.mail import mail_server
from tests.guarantees.sites import Workshop, assert_stamped_once, is_done, kinds, process_of, state_of
from tests.guarantees.worker import hang, stamp, swell
from tests.processes import until
from webapp.dev.factories import make_user
from webapp.models import Notification, Post, State, Task, User

TOO_LARGE = "It needed more memory than a task may use and was stopped."
STALLED = "It made no progress for 1 second and was stopped."


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def impatient(request, new_site):
    """A site that gives a run one second to move."""
    site = new_site(request.param, TASK_TIMEOUT_SECONDS="1")
    yield site
    site.close()


@pytest.fixture
def site(impatient) -> Workshop:
    """The same, with this process being part of it."""
    with impatient.entered():
        yield impatient


def test_a_run_that_hangs_with_the_write_lock_is_killed_and_its_owner_is_told_why(site):
    ann = make_user("ann", email="ann@example.com")
    User.update(hearing={"failed": "mail"}).where(User.id == ann.id).execute()
    with mail_server(site) as server:
        site.worker()
        task = hang.launch(ann, writes=True)
        hanging = process_of(task)
        other = stamp.launch(User.register_guest(), steps=3)
        assert_stamped_once(other)
        until(lambda: is_done(task))
        until(lambda: not hanging.is_running() or hanging.status() == psutil.STATUS_ZOMBIE)
        until(lambda: server.mails)
    now = Task.get_by_id(task.id)
    assert (now.state, now.error, now.done, now.rescues) == (State.FAILED, STALLED, 1, 0)
    assert kinds(task) == ["launched", "started", "failed"]
    assert not Post.select().where(Post.body.startswith(f"{task.id} ")).exists(), "its last step is undone"
    assert [str(said) for said in Notification.of(ann)] == [f"Hang at step 1: {STALLED}"]
    assert server.mails[0]["Subject"] == "A task has failed"
    assert "Hang at step 1 failed" in server.mails[0].get_body(("plain",)).get_content()


def test_tasks_that_hang_and_are_canceled_or_paused_leave_their_workers_to_others(site, user):
    site.worker()
    canceled, paused = hang.launch(user), hang.launch(user)
    until(lambda: {state_of(canceled), state_of(paused)} == {State.IN_PROGRESS})
    Task.get_by_id(canceled.id).cancel()
    Task.get_by_id(paused.id).pause()
    waiting = stamp.launch(User.register_guest(), steps=3)
    assert_stamped_once(waiting)
    until(lambda: (state_of(canceled), state_of(paused)) == (State.CANCELED, State.PAUSED))
    assert kinds(canceled) == ["launched", "started", "canceling", "canceled"]


def test_a_run_that_keeps_the_interpreter_loses_its_process_all_the_same(site, user):
    site.worker()
    task = hang.launch(user, interpreter=True)
    hanging = process_of(task)
    until(lambda: not hanging.is_running() or hanging.status() == psutil.STATUS_ZOMBIE)
    until(lambda: "does not end: its process is killed" in site.worker().output())
    task.reload()
    if not task.is_finished:
        task.cancel()
    assert_stamped_once(stamp.launch(User.register_guest(), steps=3))


def test_a_run_that_takes_too_much_memory_ends_in_words_and_its_process_makes_place_for_another(new_site):
    site = new_site("sqlite", WORKER_MEMORY_MB="160")
    with site.entered():
        worker = site.worker()
        large, other = swell.launch(User.register_guest()), stamp.launch(User.register_guest(), steps=60)
        swollen = process_of(large)
        until(lambda: is_done(large))
        assert (state_of(large), Task.get_by_id(large.id).error) == (State.FAILED, TOO_LARGE)
        until(lambda: not swollen.is_running() or swollen.status() == psutil.STATUS_ZOMBIE)
        assert_stamped_once(other, *[stamp.launch(User.register_guest(), steps=3) for _ in range(4)])
        until(lambda: "makes place for another" in worker.output())
        assert len(worker.family()) == 4, "the parent, the sweeper, and two processes for tasks"
        assert "died" not in worker.output()
        site.rest()
