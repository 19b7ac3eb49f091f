"""The heartbeat: it writes progress at a bounded rate, holds leases, and tells runs what became of their tasks."""

import threading
import time
from datetime import timedelta

import pytest

from tasks.engine import executor
from tasks.engine.config import config
from tasks.engine.models import signals
from tasks.engine.models.event import TaskEvent
from tasks.engine.progress_throttle import ProgressThrottle
from tests.racing import elsewhere
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import Post, State, Task


def _row(task) -> Task:
    return elsewhere(lambda: Task.get_by_id(task.id))


def _wait_until(task, condition) -> None:
    """Wait in a step of `each`, which ends no wait but by what the condition sees."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        task.wait(0.01)


@pytest.fixture
def told(app):
    """The tasks that `progressed` was sent with, as they were then, and when."""
    told = []

    def listen(task):
        told.append((time.monotonic(), task.title, task.name, task.arguments, task.done, task.total))

    signals.progressed.connect(listen)
    yield told
    signals.progressed.disconnect(listen)


def test_the_heartbeat_writes_progress_between_steps(execute, quick_heartbeat):
    def count(task):
        task.total = 9
        task.advance(4)
        _wait_until(task, lambda: (_row(task).done, _row(task).total) == (4, 9))

    assert execute(count).state == State.SUCCEEDED


def test_the_heartbeat_renews_the_lease_between_steps(execute, quick_heartbeat, configure):
    configure(lease=timedelta(seconds=1))

    def wait(task):
        first = _row(task).lease_until
        _wait_until(task, lambda: _row(task).lease_until > first + timedelta(seconds=0.5))

    assert execute(wait).state == State.SUCCEEDED


@pytest.mark.parametrize(("ask", "becomes"), [("cancel", State.CANCELED), ("pause", State.PAUSED)])
def test_a_run_that_writes_its_progress_at_every_step_hears_of_a_cancel_or_pause(
    execute, configure, monkeypatch, ask, becomes
):
    """Its checkpoints take every turn at writing progress, so that the heartbeat gets none."""
    configure(report_every=0.1, checkpoint_every=0.0)
    take = ProgressThrottle.take
    is_heartbeat = lambda: threading.current_thread().name == "heartbeat"  # noqa: E731
    monkeypatch.setattr(ProgressThrottle, "take", lambda self, now: None if is_heartbeat() else take(self, now))
    begun = []

    def post(task):
        for number in task.each(range(100_000), every_step=True):
            if number == 5:
                elsewhere(lambda: getattr(Task.get_by_id(task.id), ask)())
                begun.append(time.monotonic())
            Post.create(user=task.user, body=str(number))
            assert not begun or time.monotonic() - begun[0] < 20, "it never hears of that"

    assert execute(post).state == becomes


@pytest.mark.parametrize("steps", [0, 5], ids=["without news", "with news"])
def test_the_heartbeat_tells_a_run_that_it_lost_its_lease(execute, quick_heartbeat, steps):
    def lose(task):
        elsewhere(lambda: Task.update(fencing_token="another run").where(Task.id == task.id).execute())
        task.advance(steps)
        task.wait(30)
        raise AssertionError("it goes on")

    begun = time.monotonic()
    task = execute(lose)
    assert time.monotonic() - begun < 20
    assert (task.state, task.fencing_token, task.done) == (State.IN_PROGRESS, "another run", 0)


@pytest.mark.parametrize(("ask", "becomes"), [("cancel", State.CANCELED), ("pause", State.PAUSED)])
def test_the_heartbeat_tells_a_run_that_it_was_canceled_or_paused(execute, quick_heartbeat, ask, becomes):
    def be_stopped(task):
        elsewhere(getattr(_row(task), ask))
        task.wait(30)

    assert execute(be_stopped).state == becomes


def test_the_heartbeat_tells_a_run_that_its_worker_shuts_down(declare, quick_heartbeat, configure):
    @declare(title="Wait")
    def wait(task):
        configure(is_shutting_down=lambda: True)
        task.wait(30)

    task = wait.launch(make_user())
    executor.execute_next()
    assert (task.reload().state, task.attempts) == (State.PENDING, 0)


def test_the_heartbeat_keeps_the_lease_in_a_step_longer_than_it(declare, quick_heartbeat, configure):
    configure(lease=timedelta(seconds=2))
    seen = []

    @declare(title="Take long")
    def take_long(task):
        end = time.monotonic() + 3
        while time.monotonic() < end:
            task.wait(0.1)
            seen.append(elsewhere(lambda: list(Task.lost(10))))

    task = take_long.launch(make_user())
    executor.execute_next()
    assert len(seen) >= 5
    assert not any(seen)
    assert task.reload().state == State.SUCCEEDED


def test_the_heartbeat_leaves_a_run_alone_after_its_end(declare, quick_heartbeat):
    @declare(title="Be quick")
    def be_quick(task):
        task.advance()

    task = be_quick.launch(make_user())
    executor.execute_next()
    before = _row(task)
    Task.update(state=State.IN_PROGRESS, fencing_token="-", lease_until=utcnow()).where(Task.id == task.id).execute()
    stolen = _row(task)
    time.sleep(0.2)  # ten beats
    assert _row(task).__data__ == stolen.__data__
    assert before.state == State.SUCCEEDED


# What is told


@pytest.mark.parametrize("writes", [True, False], ids=["each step writes", "no step writes"])
@pytest.mark.parametrize("every_step", [True, False], ids=["a checkpoint after each", "now and then"])
def test_progress_is_written_twice_a_second_at_most_and_sent_with_the_whole_row(declare, told, writes, every_step):

    @declare(title="Write {number} posts")
    def write_posts(task, number: int):
        end = time.monotonic() + 20
        for step in task.each(range(number), every_step=every_step):
            if len(told) == 3 or time.monotonic() >= end:
                break
            time.sleep(0.005)
            if writes:
                Post.create(user=task.user, body=str(step))

    task = write_posts.launch(make_user(), number=100_000)
    begun = time.monotonic()
    executor.execute_next()
    took = time.monotonic() - begun
    assert 3 <= len(told) <= 1 + took / config().report_every
    assert all(row[1:4] == ("Write 100000 posts", "write_posts", {"number": 100_000}) for row in told)
    dones = [row[4] for row in told]
    assert dones == sorted(dones)
    assert dones[0] < dones[-1] <= task.reload().done


def test_progress_of_steps_that_write_is_shown_while_a_later_step_takes_long(execute, quick_heartbeat, configure):
    configure(report_every=0.3)

    def write(task):
        for number in task.each(range(6), every_step=True):
            if number < 5:
                Post.create(user=task.user, body=str(number))
            else:
                _wait_until(task, lambda: _row(task).done == 5)

    assert execute(write).state == State.SUCCEEDED


# Who waits


def _counts_slowly(declare):
    @declare(title="Count to {most}")
    def count(task, most: int):
        for _ in task.each(range(most)):
            task.wait(0.02)

    return count


def test_a_long_run_makes_way_for_somebody_of_whom_nothing_runs_and_goes_on_after_that(
    each_database, declare, quick_heartbeat, configure
):
    configure(turn=0.1, turns_apart=0.02, checkpoint_every=0.02)
    count, ann, ben = _counts_slowly(declare), make_user(), make_user()
    long = count.launch(ann, most=1000)
    count.launch(ann, most=1)
    short = count.launch(ben, most=1)
    executor.execute_next()
    given_back = long.reload()
    assert given_back.state == State.PENDING
    assert 0 < given_back.done < 1000
    assert (given_back.attempts, given_back.rescues) == (0, 0), "it has used up nothing"
    assert "Making way for people who wait" in TaskEvent.of(long.id)[-1].text
    executor.execute_next()
    assert short.reload().state == State.SUCCEEDED


def test_a_long_run_goes_on_while_only_its_owner_waits_or_whoever_is_to_wait_longer(
    app, declare, quick_heartbeat, configure
):
    configure(turn=0.1, turns_apart=0.02, checkpoint_every=0.02)
    count, ann = _counts_slowly(declare), make_user()
    long = count.launch(ann, most=30)
    count.launch(ann, most=1)
    Task.update(priority=-1, queue_key=2 << 40).where(Task.id == count.launch(make_user(), most=1).id).execute()
    executor.execute_next()
    assert long.reload().state == State.SUCCEEDED
