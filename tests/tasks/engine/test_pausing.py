"""Pausing, scheduling and removing: what people ask of their tasks, and what comes of it."""

from datetime import timedelta

import pytest

from tasks.countdown import countdown
from tasks.engine import executor
from tasks.queue import huey
from tests.racing import elsewhere
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactChunk, IllegalTransition, Notification, Post, State, Task, TaskEvent, User


def _row(task) -> Task:
    return Task.get_by_id(task.id)


@pytest.fixture
def writes(declare, checkpoints):
    """A task that writes five posts, and is asked to pause in the middle of the third."""
    asked = []
    checkpoints(hold=0.0)

    @declare(title="Write")
    def writes(task):
        for number in task.each(range(5)):
            if number == 2 and not asked:
                asked.append(elsewhere(_row(task).pause))
                task.wait(30)
            Post.create(user=task.user, body=str(number))

    return writes


def _posts() -> list[str]:
    return [post.body for post in Post.select().order_by(Post.id)]


def test_a_running_task_pauses_at_its_next_step_and_goes_on_where_it_stopped(writes, quick_heartbeat):
    task = writes.launch(make_user())
    executor.execute_next()
    task.reload()
    assert (task.state, task.done, task.total) == (State.PAUSED, 3, 5)
    assert (task.fencing_token, task.lease_until, task.finished_at) == (None, None, None)
    assert _posts() == ["0", "1", "2"], "the step was made to its end"
    assert not executor.execute_next(), "a paused task waits for its owner"
    task.resume()
    assert (task.reload().state, task.done) == (State.PENDING, 3)
    executor.execute_next()
    assert (task.reload().state, task.done, task.attempts) == (State.SUCCEEDED, 5, 1)
    assert _posts() == ["0", "1", "2", "3", "4"]
    assert [event.kind for event in task.timeline()] == [
        "launched", "started", "pausing", "paused", "pending", "started", "succeeded",
    ]  # fmt: skip
    assert task.timeline()[-2].text == "Continued by a worker after step 3"


def test_resuming_sends_a_wakeup(writes, quick_heartbeat, run_tasks):
    task = writes.launch(make_user())
    run_tasks()
    assert huey.pending_count() == 0
    task.reload().resume()
    assert huey.pending_count() == 1
    run_tasks()
    assert task.reload().state == State.SUCCEEDED


def test_who_paused_it_may_stop_it_after_all(declare, quick_heartbeat):
    @declare(title="Wait")
    def wait(task):
        elsewhere(_row(task).pause)
        elsewhere(_row(task).cancel)
        task.wait(30)
        task.advance()

    task = wait.launch(make_user())
    executor.execute_next()
    assert task.reload().state == State.CANCELED


def test_the_last_step_wins_over_a_pause(declare, no_heartbeat):
    @declare(title="Be quick")
    def be_quick(task):
        task.total = 1
        task.advance()
        elsewhere(_row(task).pause)

    task = be_quick.launch(make_user())
    executor.execute_next()
    assert task.reload().state == State.SUCCEEDED


def test_a_task_that_waits_pauses_at_once_and_leaves_the_line(app):
    task = countdown.launch(make_user(), seconds=1)
    task.pause()
    assert (_row(task).state, _row(task).queue_key) == (State.PAUSED, None)
    assert not executor.execute_next()
    task.resume()
    assert (_row(task).state, _row(task).queue_key is None) == (State.PENDING, False)


def test_without_a_checkpoint_a_paused_task_begins_anew_and_says_so(app):
    task = make_task(State.PAUSED, done=12, total=40, cursor=None)
    task.resume()
    assert (_row(task).done, _row(task).total) == (0, None)


def test_time_paused_is_not_time_worked(app):
    task = make_task(State.PAUSED, run_seconds=60.0, started_at=utcnow() - timedelta(days=3))
    task.resume()
    assert _row(task).run_seconds == 60.0
    claimed = Task.claim(timedelta(seconds=15))
    claimed.succeed()
    assert 60.0 <= _row(task).run_seconds < 65.0


# Scheduling


def test_a_scheduled_task_waits_without_a_message(app):
    later = utcnow() + timedelta(hours=1)
    task = countdown.launch(make_user(), run_at=later, seconds=1)
    assert (_row(task).state, _row(task).run_at, _row(task).queue_key) == (State.SCHEDULED, later, None)
    assert huey.pending_count() == 0
    assert not executor.execute_next()
    assert [event.text for event in task.timeline()] == ["Scheduled by you"]


def test_a_scheduled_task_can_be_started_now(app):
    task = countdown.launch(make_user(), run_at=utcnow() + timedelta(hours=1), seconds=1)
    task.retry()
    assert (_row(task).state, _row(task).run_at) == (State.PENDING, None)
    assert huey.pending_count() == 1


def test_a_scheduled_task_can_be_canceled(app):
    task = countdown.launch(make_user(), run_at=utcnow() + timedelta(hours=1), seconds=1)
    task.cancel()
    assert _row(task).state == State.CANCELED
    assert list(Task.due(10)) == []


# Removing


def test_a_removed_task_leaves_nothing(app):
    user = make_user()
    task, other = make_task(State.SUCCEEDED, user), make_task(State.SUCCEEDED, user)
    make_artifact(task)
    kept = make_artifact(other)
    before = User.get_by_id(user.id).changes
    task.remove()
    assert list(Task.select()) == [other]
    assert list(Artifact.select()) == [kept]
    assert ArtifactChunk.select().count() == 1
    assert {event.task_id for event in TaskEvent.select()} == {other.id}
    assert {record.task_id for record in Notification.select()} == {other.id}
    assert User.get_by_id(user.id).changes == before + 1


def test_a_task_that_was_tried_again_meanwhile_is_not_removed(app):
    task = make_task(State.FAILED)
    _row(task).retry()
    with pytest.raises(IllegalTransition) as refused:
        task.remove()
    assert refused.value.task.state == State.PENDING
