"""A worker that has got one message goes on from task to task: how one ends and the next is claimed with it."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from peewee import DataError

from tasks.engine import TaskError
from tasks.engine.config import config
from tasks.engine.executor import execute, execute_next
from tasks.engine.models import line_start
from tasks.engine.models.phrases import UNEXPECTED
from tasks.engine.models.signals import finished, started
from tasks.engine.run import Run
from tasks.queue import huey
from webapp.db import database, locks_rows
from webapp.dev.factories import make_user
from webapp.models import Artifact, Notification, State, Task, User, Worker

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def count(declare):
    """A task function that returns its number, and fails for 13."""

    @declare(title="Count {number}")
    def count(task, number: int):
        for _ in task.each(range(2)):
            pass
        if number == 13:
            raise TaskError("Not this one.")
        return number

    return count


def _states() -> list[str]:
    return [task.state for task in Task.select().order_by(Task.created_at, Task.id)]


def _times(number: int) -> Callable[[], bool]:
    """Says so many times that the worker goes on."""
    left = iter(range(number))
    return lambda: next(left, None) is not None


def _commits(monkeypatch) -> list[None]:
    commit, seen = database.obj.commit, []
    monkeypatch.setattr(database.obj, "commit", lambda: (seen.append(None), commit()))
    return seen


def test_one_message_is_enough_for_all_that_wait(count, each_database):
    tasks = [count.launch(make_user(), number=number) for number in (1, 13, 2)]
    while huey.pending_count() > 1:
        huey.dequeue()
    assert huey.execute(huey.dequeue())
    assert _states() == ["succeeded", "failed", "succeeded"]
    assert [task.reload().result for task in tasks] == [1, None, 2]
    for task in tasks:
        kinds = [event.kind for event in task.timeline()]
        assert kinds == ["launched", "started", task.state]
    assert {said.payload["state"] for said in Notification.select()} == {"succeeded", "failed"}


def test_on_sqlite_one_ends_and_the_next_begins_with_the_same_commit(app, count, monkeypatch):
    user = make_user()
    for number in range(5):
        count.launch(user, number=number)
    changes, commits = User.get_by_id(user.id).changes, _commits(monkeypatch)
    assert execute_next(lambda: True)
    assert len(commits) == 6, "the first claim, and one for each task"
    assert User.get_by_id(user.id).changes == changes + 6


def test_a_message_that_comes_for_nothing_takes_one_read_and_not_the_write_lock(app, count, queries):
    count.launch(make_user(), number=1)
    assert execute_next(lambda: True)
    with queries() as seen:
        assert not execute_next(lambda: True)
    assert [query.msg[0].split()[0] for query in seen.get_queries()] == ["SELECT"]


def test_what_one_task_of_many_asks_of_the_database(count, each_database, queries, monkeypatch):
    """On PostgreSQL each statement is a round trip. A task here is what three cost more than two."""
    monkeypatch.setattr(line_start, "FOR_SECONDS", 3600)
    user, costs = make_user(), []
    for number in (1, 2, 3):
        for n in range(number):
            count.launch(user, number=n)
        left = _times(number - 1)
        with queries() as seen:
            assert execute_next(left)
        costs.append([query.msg[0].split()[0] for query in seen.get_queries()])
    assert len(costs[2]) - len(costs[1]) == (10 if locks_rows() else 8)


def test_a_worker_that_is_told_to_stop_claims_nothing_with_the_end(count, each_database):
    for number in range(4):
        count.launch(make_user(), number=number)
    assert execute_next(_times(2))
    assert sorted(_states()) == ["pending", "succeeded", "succeeded", "succeeded"]


def test_after_its_time_a_worker_reads_the_next_message(count, each_database, configure):
    configure(go_on_for=0.0)
    for number in range(3):
        count.launch(make_user(), number=number)
    assert huey.execute(huey.dequeue())
    assert sorted(_states()) == ["pending", "pending", "succeeded"]


def test_a_task_that_was_handed_back_is_not_claimed_again_by_that_worker(app, declare):
    runs = []

    @declare(title="Stop")
    def stop(task):
        runs.append(task.id)
        raise KeyboardInterrupt

    stop.launch(make_user())
    assert execute_next(_times(3))
    assert (_states(), len(runs)) == (["pending"], 1)


def test_what_follows_the_end_of_a_run_with_artifacts_takes_no_claim_along_where_it_fails(
    app, declare, count, monkeypatch
):
    @declare(title="Attach")
    def attach(task):
        task.attach("a.txt", "a")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the artifacts cannot be looked at")

    first, second = attach.launch(make_user()), count.launch(make_user(), number=1)
    monkeypatch.setattr(Artifact, "discard", fail)
    with pytest.raises(RuntimeError):
        execute_next(lambda: True)
    assert (first.reload().state, second.reload().state) == (State.SUCCEEDED, State.PENDING)


def test_a_task_that_was_taken_over_meanwhile_ends_nothing_and_the_worker_claims_nothing_with_it(app, declare, count):
    @declare(title="Lose")
    def lose(task):
        Task.update(state=State.PENDING, queue_key=99, fencing_token=None).where(Task.id == task.id).execute()

    lost = lose.launch(make_user())
    other = count.launch(make_user(), number=1)
    assert execute_next(_times(1))
    assert (lost.reload().state, other.reload().state) == (State.PENDING, State.PENDING)
    assert lost.fencing_token is None


def test_a_claim_that_fails_costs_nobody_their_outcome(app, count, monkeypatch, caplog):
    first, second = (count.launch(make_user(), number=number) for number in (1, 2))
    claim, tries = Task.claim, []

    def fail_once(*args: object) -> Task | None:
        tries.append(args)
        if len(tries) == 2:
            claim(*args)
            raise RuntimeError("an observer failed")
        return claim(*args)

    monkeypatch.setattr(Task, "claim", fail_once)
    assert execute_next(lambda: True)
    assert (first.reload().state, first.result) == (State.SUCCEEDED, 1)
    assert (second.reload().state, second.fencing_token, second.attempts) == (State.PENDING, None, 0)
    assert [record.levelno for record in caplog.records if "could not be claimed" in record.message] == [logging.ERROR]


def test_a_result_that_cannot_be_stored_fails_its_task_and_harms_no_other(app, count, monkeypatch):
    first, second = (count.launch(make_user(), number=number) for number in (1, 2))
    monkeypatch.setattr(Task, "succeed", _refuse)
    assert execute_next(lambda: True)
    assert (first.reload().state, str(first.error_words())) == (State.FAILED, str(UNEXPECTED()))
    assert (second.reload().state, second.attempts) == (State.PENDING, 0)
    assert execute_next(lambda: True), "it has its own message"


def _refuse(_: Task, result: object = None) -> None:
    raise DataError(f"{result} is no text")


def test_the_task_that_ends_does_not_count_among_those_that_its_owner_runs(app, count):
    """Else a person at their limit would have to let others go first, whose tasks are further behind."""
    Worker.heartbeat("one", "host", 1, 2, timedelta(hours=1))
    ann, bob = make_user("ann"), make_user("bob")
    first, second = (count.launch(ann, number=number) for number in (1, 2))
    claimed = Task.claim(config().lease)
    third = count.launch(bob, number=3)
    Task.update(queue_key=50).where(Task.id == third.id).execute()
    assert claimed.id == first.id
    following = execute(claimed, Run(claimed), goes_on=lambda: True)
    assert following.id == second.id
    assert execute(following, Run(following), goes_on=lambda: True).id == third.id


def test_signals_come_after_the_commit_in_the_order_of_what_happened(app, count):
    for number in (1, 2):
        count.launch(make_user(), number=number)
    heard = []

    def hear_start(task):
        heard.append(("started", task.arguments["number"], database.in_transaction()))

    def hear_end(task):
        heard.append(("finished", task.arguments["number"], database.in_transaction()))

    started.connect(hear_start)
    finished.connect(hear_end)
    try:
        assert execute_next(lambda: True)
    finally:
        started.disconnect(hear_start)
        finished.disconnect(hear_end)
    assert heard == [(kind, number, False) for number in (1, 2) for kind in ("started", "finished")]


def test_who_claimed_with_the_end_holds_the_task_by_a_lease_like_any_other(app, count):
    first, second = (count.launch(make_user(), number=number) for number in (1, 2))
    claimed = Task.claim(config().lease)
    following = execute(claimed, Run(claimed), goes_on=lambda: True)
    assert following is not None
    row = second.reload()
    assert (following.id, row.state, row.attempts) == (second.id, State.IN_PROGRESS, 1)
    assert row.fencing_token == following.fencing_token
    assert row.lease_until is not None
    assert first.reload().fencing_token is None
