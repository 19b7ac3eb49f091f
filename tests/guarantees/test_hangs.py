"""Runs that hang: whatever they hold, they are ended, and what is told of them is true."""

from contextlib import suppress

import psutil
import pytest

from tests.guarantees.mail import mail_server
from tests.guarantees.sites import (
    Workshop,
    assert_stamped_once,
    is_done,
    is_under_way,
    kinds,
    process_of,
    processes_of,
    state_of,
)
from tests.guarantees.worker import hang, stamp, stamp_in_peace, swell
from tests.processes import until
from webapp.dev.factories import make_user
from webapp.models import IllegalTransition, Notification, Post, State, Task, User

TOO_LARGE = "It needed more memory than a task may use and was stopped."
STALLED = "It made no progress for 2 seconds and was stopped."
KILLED = "does not end: its process is killed"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def impatient(request, new_site):
    """A site that gives a run two seconds to move."""
    site = new_site(request.param, TASK_TIMEOUT_SECONDS="2")
    yield site
    site.close()


@pytest.fixture
def site(impatient) -> Workshop:
    """The same, with this process being part of it."""
    with impatient.entered():
        yield impatient


def is_gone(pid: int) -> bool:
    """Whether there is no process of this id any more, or what is left of one."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def comes_to_hang(task: Task) -> bool:
    """Whether it does: False if its time was over before, on a machine that is busy."""
    until(lambda: is_under_way(task) or is_done(task))
    return Task.get_by_id(task.id).done > 0


def give_up(task: Task) -> None:
    """Cancel it, unless it ends by itself just now.

    A run that keeps its interpreter gives no sign of life either: it may be taken for a dead worker's, and continued.
    """
    with suppress(IllegalTransition):
        Task.get_by_id(task.id).cancel()
    until(lambda: is_done(task))


def test_a_run_that_hangs_with_the_write_lock_is_killed_and_its_owner_is_told_why(site):
    ann = make_user("ann", email="ann@example.com")
    User.update(hearing={"failed": "mail"}).where(User.id == ann.id).execute()
    with mail_server(site) as server:
        site.worker()
        task = hang.launch(ann, writes=True)
        hanging = until(lambda: processes_of(task))[-1]
        other = stamp_in_peace.launch(User.register_guest(), steps=3)
        assert_stamped_once(other)
        until(lambda: is_done(task))
        until(lambda: is_gone(hanging))
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
    waiting = stamp_in_peace.launch(User.register_guest(), steps=3)
    assert_stamped_once(waiting)
    until(lambda: (state_of(canceled), state_of(paused)) == (State.CANCELED, State.PAUSED))
    assert kinds(canceled) == ["launched", "started", "canceling", "canceled"]


def test_a_run_that_keeps_the_interpreter_loses_its_process_all_the_same(site, user):
    worker = site.worker()
    said = worker.output().count(KILLED)
    task = until(lambda: task if comes_to_hang(task := hang.launch(user, interpreter=True)) else None)
    [first, *_] = processes_of(task)
    until(lambda: is_gone(first))
    until(lambda: worker.output().count(KILLED) > said)
    give_up(task)
    assert_stamped_once(stamp_in_peace.launch(User.register_guest(), steps=3))


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
