"""Where a commit fails nobody knows whether it was made: what a worker writes is right in both cases."""

import pytest
from peewee import OperationalError

from tasks.engine import executor
from tasks.engine.config import config
from webapp.db import database
from webapp.db.resilience import is_unavailable
from webapp.dev.factories import make_user
from webapp.models import Artifact, State, Task


@pytest.fixture
def cut(monkeypatch):
    """A function that lets the answer to a commit be lost, once: to the next, or to the one after so many."""

    def arrange(after: int = 0) -> None:
        commit, commits = database.obj.commit, iter(range(after + 2))

        def lose_answer() -> None:
            commit()
            if next(commits, None) == after:
                raise _cut_off()

        monkeypatch.setattr(database.obj, "commit", lose_answer)

    return arrange


def _cut_off() -> OperationalError:
    """As SQLite says that it cannot write; what matters is that nobody knows what stands."""
    error = OperationalError("disk I/O error")
    error.orig = type("Error", (Exception,), {"sqlite_errorcode": 10})()
    assert is_unavailable(error)
    return error


def test_a_claim_whose_answer_was_lost_is_found_by_its_token(app, declare, no_heartbeat, cut):
    @declare(title="Count")
    def count_runs(task):
        return "ran"

    first, second = count_runs.launch(make_user()), count_runs.launch(make_user())
    cut()
    assert executor.execute_next()
    states = {task.id: task.reload().state for task in (first, second)}
    assert states == {first.id: State.SUCCEEDED, second.id: State.PENDING}
    assert [event.kind for event in first.timeline()] == ["launched", "started", "succeeded"]


def test_an_end_and_the_claim_with_it_whose_answer_was_lost_both_stand(app, declare, no_heartbeat, cut):
    @declare(title="Count")
    def count_runs(task):
        return "ran"

    tasks = [count_runs.launch(make_user()) for _ in range(3)]
    cut(after=1)
    assert executor.execute_next(lambda: True)
    for task in tasks:
        assert (task.reload().state, task.attempts, task.rescues) == (State.SUCCEEDED, 1, 0)
        assert [event.kind for event in task.timeline()] == ["launched", "started", "succeeded"]


def test_an_outcome_whose_answer_was_lost_stands_once(app, declare, no_heartbeat, cut):
    @declare(title="Fail")
    def leave_half(task):
        task.attach("half.txt", "half")
        raise ValueError("for good")

    task = leave_half.launch(make_user())
    claimed = Task.claim(config().lease)
    run = executor.Run(claimed)
    cut(after=1)  # the artifact's is the first
    executor.execute(claimed, run)
    assert (claimed.state, task.reload().state) == (State.FAILED, State.FAILED)
    assert [event.kind for event in task.timeline()].count("failed") == 1
    assert Artifact.select().where(Artifact.task == task).count() <= 1


def test_an_outcome_that_another_run_has_overtaken_is_left_alone(app, declare, no_heartbeat):
    @declare(title="Be overtaken")
    def be_overtaken(task):
        Task.update(fencing_token="another").execute()

    task = be_overtaken.launch(make_user())
    executor.execute_next()
    assert (task.reload().state, task.fencing_token) == (State.IN_PROGRESS, "another")
