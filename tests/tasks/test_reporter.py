"""The reporter: it holds the lease of a run that makes no step, and tells a run at once that has lost its task."""

import time
from datetime import timedelta

import pytest

from tasks.engine import perform, reporter
from tasks.engine.limits import limits
from tasks.engine.run import Asked, LostTask, Released, Run
from tests.racing import elsewhere
from webapp.factories import make_task, make_user
from webapp.models import State, Task
from webapp.models.state import HELD
from webapp.times import utcnow


@pytest.fixture
def watch(app):
    """A function that makes a run of a task in a state, watched by the reporter as if it were time to renew."""

    def watch(state: State = State.IN_PROGRESS, renew: bool = False) -> tuple[Run, Task, reporter._Watched]:
        task = make_task(state, done=0, total=None)
        run = Run(task)
        return run, task, reporter._Watched(run, Task.get_by_id(task.id), 0.0 if renew else float("inf"), None, "")

    return watch


def _row(task: Task) -> Task:
    return Task.get_by_id(task.id)


def test_it_writes_what_is_new_once(watch, queries):
    run, task, watched = watch()
    run.total = 9
    run.advance(4)
    reporter.report(watched)
    assert (_row(task).done, _row(task).total) == (4, 9)
    with queries() as seen:
        reporter.report(watched)
    assert seen.count == 1, "one read, to hear whether it should stop"


def test_it_renews_the_lease_of_a_run_that_makes_no_step(watch):
    _, task, watched = watch(renew=True)
    Task.update(lease_until=utcnow() - timedelta(seconds=1)).execute()
    reporter.report(watched)
    assert _row(task).lease_until > utcnow() + limits.lease / 2
    assert time.monotonic() < watched.renew_at <= time.monotonic() + limits.lease.total_seconds() / 3


@pytest.mark.parametrize("renew", [True, False], ids=["when it renews", "before"])
@pytest.mark.parametrize("news", [True, False])
def test_it_tells_a_run_that_another_has_its_task(watch, renew, news):
    run, task, watched = watch(renew=renew)
    if news:
        run._done = 7
    Task.update(owner="another run").where(Task.id == task.id).execute()
    reporter.report(watched)
    assert run._stop is LostTask
    assert _row(task).done == 0
    with pytest.raises(LostTask):
        run.advance()


@pytest.mark.parametrize("state", sorted(HELD - {State.IN_PROGRESS}))
def test_it_tells_a_run_what_its_owner_asked_for(watch, state):
    run, _, watched = watch(state)
    reporter.report(watched)
    assert run._stop is Asked


def test_it_tells_a_run_that_its_worker_shuts_down_and_losing_the_task_goes_before(watch, monkeypatch):
    run, task, watched = watch()
    monkeypatch.setattr(reporter, "is_shutting_down", lambda: True)
    reporter.report(watched)
    assert run._stop is Released
    Task.update(owner="another run").where(Task.id == task.id).execute()
    reporter.report(watched)
    assert run._stop is LostTask


def test_a_step_that_takes_longer_than_a_lease_loses_nothing(declare, quick_reports, monkeypatch):
    monkeypatch.setattr(limits, "lease", timedelta(seconds=1))
    seen = []

    @declare(title="Take long")
    def take_long(task):
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            task.wait(0.1)
            seen.append(elsewhere(lambda: list(Task.lost(10))))

    task = take_long.launch(make_user())
    perform.perform_next()
    assert len(seen) >= 5
    assert not any(seen)
    assert task.reload().state == State.SUCCEEDED


def test_nobody_is_watched_when_the_run_has_ended(declare):
    @declare(title="Be quick")
    def be_quick(task):
        assert len(reporter._runs) == 1

    task = be_quick.launch(make_user())
    perform.perform_next()
    assert task.reload().state == State.SUCCEEDED
    assert reporter._runs == set()
