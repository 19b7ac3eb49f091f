"""Rescue: tasks of runs that are gone go on, and killed runs are recorded with the reason."""

import sqlite3
from datetime import timedelta

import pytest
from peewee import OperationalError

from tasks.engine import rescue
from tasks.engine.config import config
from tasks.engine.models import signals
from tasks.engine.run_clock import Reason, TimedOutRun
from tasks.engine.sweeper import Sweeper
from tests.tasks.engine.clock import Clock
from tests.tasks.engine.sweeping import AGO, lost_task, wakeups
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import Notification, State, Task

pytestmark = pytest.mark.usefixtures("each_look_sweeps")


def _killed(task: Task, reason: Reason = Reason.NO_PROGRESS, further: bool = False) -> TimedOutRun:
    return TimedOutRun(task.id.hex, task.fencing_token, reason, 300.0, further)


def test_log_lines_about_a_lost_task_carry_its_id(app, caplog):
    task = lost_task(fencing_token="gone")
    Sweeper().look()
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage() == "Lost contact with the worker: the task is pending"
    assert record.fields == {"task_id": task.id, "kind": task.name, "user_id": task.user_id}


@pytest.mark.parametrize(
    ("state", "became"),
    [(State.IN_PROGRESS, "pending"), (State.PAUSING, "paused"), (State.CANCELING, "canceled")],
)
def test_a_task_whose_worker_died_is_rescued(app, state, became):
    task, held = lost_task(state), make_task(state)
    Sweeper().look()
    assert (task.reload().state, held.reload().state) == (became, state)
    assert wakeups() == (became == "pending")


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.PAUSING, State.CANCELING])
def test_a_rescued_task_shows_the_progress_of_its_checkpoint(app, state):
    task = lost_task(state)
    Task.update(done=2, total=20, cursor={"done": 9, "total": 21}).where(Task.id == task.id).execute()
    Sweeper().look()
    assert (task.reload().done, task.total) == (9, 21)


def test_a_lease_from_before_the_clock_was_set_back_ends_as_well(app):
    task = make_task(State.IN_PROGRESS, lease_until=utcnow() + timedelta(hours=1))
    normal = make_task(State.IN_PROGRESS, lease_until=utcnow() + config().lease)
    until = normal.reload().lease_until
    Sweeper().look()
    assert task.reload().lease_until <= utcnow() + config().lease
    assert normal.reload().lease_until == until


def test_runs_get_time_to_renew_their_leases_after_the_database_was_away(app):
    clock = Clock()
    one = Sweeper(clock=clock)
    one.look()
    task = lost_task()
    clock.advance(14)  # nobody could write meanwhile
    one.look()
    assert task.reload().state == State.IN_PROGRESS
    for _ in range(5):
        clock.advance(4)
        one.look()
    assert task.reload().state == State.PENDING, "what has not renewed it by then is lost"


@pytest.mark.parametrize(
    ("state", "fields", "further", "becomes", "attempts"),
    [
        (State.IN_PROGRESS, {"attempts": 1}, False, State.FAILED, 1),
        (State.IN_PROGRESS, {"attempts": 1}, True, State.FAILED, 1),
        (State.IN_PROGRESS, {"attempts": 1, "retries": 1}, False, State.RETRYING, 1),
        (State.IN_PROGRESS, {"attempts": 2, "retries": 1}, False, State.FAILED, 2),
        (State.IN_PROGRESS, {"attempts": 2, "retries": 1}, True, State.RETRYING, 1),
        (State.PAUSING, {"attempts": 1}, False, State.PAUSED, 1),
        (State.CANCELING, {"attempts": 1, "retries": 1}, True, State.CANCELED, 1),
    ],
)
def test_a_killed_run_ends_in_words(each_database, configure, state, fields, further, becomes, attempts):
    configure(sweep=timedelta(0))
    task = make_task(state, lease_until=utcnow() - AGO, **fields)
    told = []
    receive = told.append
    signals.finished.connect(receive)
    try:
        Sweeper(lambda: [_killed(task, further=further)]).look()
    finally:
        signals.finished.disconnect(receive)
    now = Task.get_by_id(task.id)
    assert (now.state, now.attempts, now.rescues, now.fencing_token) == (becomes, attempts, 0, None)
    assert "It made no progress for 5 minutes and was stopped." in task.timeline()[-1].text
    if becomes == State.FAILED:
        assert now.error == "It made no progress for 5 minutes and was stopped."
        assert [str(said) for said in Notification.of(task.user)] == [f"{task.title}: {now.error}"]
        assert [(sender.title, sender.name, sender.arguments) for sender in told] == [
            (task.title, task.name, task.arguments)
        ]


def test_a_killed_run_that_had_lost_its_lease_changes_nothing(app):
    task = make_task(State.IN_PROGRESS)
    verdict = _killed(task)
    Task.update(fencing_token="another run").where(Task.id == task.id).execute()
    Sweeper(lambda: [verdict]).look()
    assert (task.reload().state, task.fencing_token) == (State.IN_PROGRESS, "another run")


def test_a_killed_run_is_recorded_once_the_database_answers(app, monkeypatch):
    task = make_task(State.IN_PROGRESS)
    verdicts = [_killed(task)]
    one = Sweeper(lambda: [verdicts.pop()] if verdicts else [])

    def fail(*_):
        raise OperationalError("database is locked") from sqlite3.OperationalError()

    with monkeypatch.context() as patch:
        patch.setattr(Task, "time_out", fail)
        patch.setattr(rescue, "is_unavailable", lambda _: True)
        with pytest.raises(OperationalError):
            one.look()
    assert task.reload().state == State.IN_PROGRESS
    one.look()
    assert task.reload().state == State.FAILED


def test_a_killed_run_is_recorded_again_when_its_record_was_rolled_back(app, monkeypatch):
    """Else the task would next be rescued as one whose worker had died."""
    task, verdicts = lost_task(), []
    one = Sweeper(lambda: [verdicts.pop()] if verdicts else [])
    with monkeypatch.context() as patch:
        patch.setattr(one._presence, "report", lambda: verdicts.append(_killed(task)))  # it comes in mid-look

        def fail(*_):
            assert Task.get_by_id(task.id).state == State.FAILED, "it is on record by now, but not for good"
            raise OperationalError("disk I/O error") from sqlite3.OperationalError()

        patch.setattr(Task, "rescue", fail)
        patch.setattr(rescue, "is_unavailable", lambda _: True)
        with pytest.raises(OperationalError):
            one.look()
    assert Task.get_by_id(task.id).state == State.IN_PROGRESS
    for _ in range(2):
        one.look()
    assert (Task.get_by_id(task.id).state, Task.get_by_id(task.id).crashes) == (State.FAILED, 0)
    assert one._rescuer.unrecorded == []
