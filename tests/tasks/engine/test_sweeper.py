"""The sweeper: wakes what is due, deletes what is old, and tells who waits; one look at a time."""

from datetime import timedelta

import pytest

from tasks.countdown import countdown
from tasks.engine import retention
from tasks.engine.config import config
from tasks.engine.sweeper import Sweeper
from tests.tasks.engine.sweeping import AGO, lost_task, wakeups
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Artifact, State, Task, User, Worker

pytestmark = pytest.mark.usefixtures("each_look_sweeps")


def test_a_worker_is_known_until_it_says_goodbye(app):
    one = Sweeper(token="one", pid=7, processes=3)
    one.look()
    [worker] = Worker.select()
    assert (worker.token, worker.pid, worker.processes) == ("one", 7, 3)
    assert worker.lives_until > utcnow()
    one.resign()
    assert not Worker.select().exists()


@pytest.mark.parametrize("state", [State.SCHEDULED, State.RETRYING])
def test_due_tasks_are_woken_and_others_are_not(app, state):
    due, later = make_task(state, run_at=utcnow() - AGO), make_task(state)
    Sweeper().look()
    assert (due.reload().state, later.reload().state) == (State.PENDING, state)
    assert (due.run_at, due.queue_key is None) == (None, False)
    assert wakeups() == 1


def test_a_schedule_is_kept_to_the_second(app):
    task = countdown.launch(make_user(), run_at=utcnow() + timedelta(hours=1), seconds=1)
    one = Sweeper()
    one.look()
    assert (task.reload().state, wakeups()) == (State.SCHEDULED, 0)
    Task.update(run_at=utcnow()).execute()
    one.look()
    assert (task.reload().state, wakeups()) == (State.PENDING, 1)


def test_looks_between_two_sweeps_only_wake_due_tasks(app, configure):
    configure(sweep=timedelta(hours=1))
    one = Sweeper()
    one.look()
    lost, due = lost_task(), make_task(State.SCHEDULED, run_at=utcnow() - AGO)
    one.look()
    assert (lost.reload().state, due.reload().state) == (State.IN_PROGRESS, State.PENDING)


def test_a_look_takes_a_bounded_number_and_the_next_look_more(app, configure):
    configure(tasks_per_look=2)
    user = make_user()
    for _ in range(3):
        make_task(State.SCHEDULED, user, run_at=utcnow() - AGO)
        lost_task(user=user)
    one, left = Sweeper(), []
    for _ in range(2):
        one.look()
        left.append(Task.select().where(Task.state != State.PENDING).count())
    assert left == [2, 0], "two of each"


def test_each_look_deletes_some_of_what_is_old(app, configure):
    configure(purge_for=0.0)
    user, old = make_user(), utcnow() - config().keep_tasks - AGO
    for _ in range(3):
        make_task(State.SUCCEEDED, user, finished_at=old)
    one = Sweeper()
    one.look()
    assert Task.select().count() == 3, "a look makes one step when it may not take longer"
    assert not Task.of(user).exists(), "but its owner sees none of it any more"
    looks = 0
    while Task.select().exists():
        one.look()
        looks += 1
        assert looks < 20
    assert looks > 1


def test_after_a_purge_it_rests(app):
    one = Sweeper()
    one.look()
    task = make_task(State.SUCCEEDED, finished_at=utcnow() - config().keep_tasks - AGO)
    one.look()
    assert Task.select().where(Task.id == task.id).exists()
    assert retention.purge() == 1


def test_owners_are_notified_when_their_queue_position_changes(app):
    task = make_task(State.PENDING)
    before = User.get_by_id(task.user_id).changes
    one = Sweeper()
    one.look()
    assert User.get_by_id(task.user_id).changes == before + 1
    one.look()
    assert User.get_by_id(task.user_id).changes == before + 1, "nothing moved since"


def test_an_artifact_expires_by_itself(app):
    artifact = make_artifact(expires_at=utcnow() - AGO)
    Sweeper().look()
    assert Artifact.get_by_id(artifact.id).expired_at
