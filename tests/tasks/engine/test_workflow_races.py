"""Families under many workers: parts that end at once settle the whole once, whatever comes twice or late."""

from datetime import timedelta

import pytest

from tasks.engine import chord, executor, group, wakeup
from tasks.engine.sweeper import Sweeper
from tests.racing import race
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import Composition, IllegalTransition, State, Task

LEASE = timedelta(seconds=15)

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(each_database):
    """All of this holds on both databases."""
    return each_database


@pytest.fixture
def part(declare):
    @declare(title="Part {number}")
    def part(task, number: int = 1):
        return number

    return part


def _claim_all() -> list[Task]:
    return list(iter(lambda: Task.claim(LEASE), None))


def test_two_children_that_end_at_the_same_moment_settle_the_parent(part):
    for _ in range(5):
        parent = group(part.s(number=1), part.s(number=2)).launch(make_user())
        parts = _claim_all()
        assert len(parts) == 2
        assert race(2, lambda parts=parts: parts.pop().succeed()) == [None, None]
        assert parent.reload().state == State.SUCCEEDED
        assert [event.kind for event in parent.timeline()].count("succeeded") == 1


def test_a_body_is_lined_up_once_when_its_header_ends_at_the_same_moment(part):
    for _ in range(5):
        parent = chord([part.s(number=n) for n in range(4)], part.s(number=9)).launch(make_user())
        parts = _claim_all()
        race(4, lambda parts=parts: parts.pop().succeed())
        [body] = _claim_all()
        assert body.title == "Part 9"
        body.succeed()
        assert parent.reload().state == State.SUCCEEDED


def test_one_fails_as_the_other_succeeds_and_the_parent_is_canceled(part):
    for _ in range(5):
        parent = chord([part.s(number=1), part.s(number=2)], part.s(number=3)).launch(make_user())
        one, other = _claim_all()
        acts = [lambda one=one: one.fail("It broke."), other.succeed, Task.get_by_id(parent.id).cancel]
        outcomes = race(3, lambda acts=acts: acts.pop()())
        assert all(outcome is None or isinstance(outcome, IllegalTransition) for outcome in outcomes), outcomes
        assert parent.reload().is_finished
        assert not Task.select().where(Task.finished_at.is_null()).exists()


def test_a_workflow_is_executed_once_however_many_wakeups_there_are(part, run_tasks):
    parent = chord([part.s(number=n) for n in range(3)], part.s(number=9)).launch(make_user())
    wakeup.send(5)
    run_tasks()
    assert parent.reload().state == State.SUCCEEDED
    assert [task.attempts for task in Task.select().where(Task.composition == Composition.SINGLE)] == [1] * 4


def test_two_workers_execute_a_workflow_together(part):
    parent = chord([part.s(number=n) for n in range(6)], part.s(number=9)).launch(make_user())

    def work():
        while executor.execute_next():
            pass

    assert race(2, work) == [None, None]
    work()
    assert parent.reload().state == State.SUCCEEDED
    assert parent.children()[-1].result == 9


def test_a_child_whose_worker_died_is_done_by_another(part):
    parent = group(part.s(number=1), part.s(number=2)).launch(make_user())
    dead = Task.claim(LEASE)
    Task.update(lease_until=utcnow() - LEASE).where(Task.id == dead.id).execute()
    Sweeper().look()
    while executor.execute_next():
        pass
    assert parent.reload().state == State.SUCCEEDED
    assert Task.get_by_id(dead.id).rescues == 1
    with pytest.raises(IllegalTransition):
        dead.fail("I am late.")
    assert parent.reload().state == State.SUCCEEDED


def test_a_workflow_may_be_scheduled(part):
    parent = group(part.s(number=1), part.s(number=2)).launch(make_user(), run_at=utcnow() + timedelta(hours=1))
    assert parent.reload().state == State.SCHEDULED
    assert {str(task.state) for task in parent.children()} == {"waiting"}
    Sweeper().look()
    assert not executor.execute_next()
    Task.update(run_at=utcnow()).where(Task.id == parent.id).execute()
    sweeper = Sweeper()
    Task.get_by_id(parent.id).enqueue()
    sweeper.look()
    while executor.execute_next():
        pass
    assert parent.reload().state == State.SUCCEEDED


def test_a_scheduled_workflow_can_be_canceled_or_started_now(part):
    user, later = make_user(), utcnow() + timedelta(hours=1)
    canceled = group(part.s(number=1), part.s(number=2)).launch(user, run_at=later)
    Task.get_by_id(canceled.id).cancel()
    assert {task.state for task in Task.select()} == {State.CANCELED}
    started = group(part.s(number=1), part.s(number=2)).launch(user, run_at=later)
    Task.get_by_id(started.id).retry()
    while executor.execute_next():
        pass
    assert started.reload().state == State.SUCCEEDED
