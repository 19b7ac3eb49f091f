"""Tasks that an operator ends by force: what becomes of the request, whatever becomes of the run."""

import threading
from datetime import timedelta

import pytest

from tasks.engine.models.actor import operator_canceled
from tasks.engine.models.forced_ending import AlreadyForced
from tasks.engine.run_clock import Reason, TimedOutRun
from tasks.engine.sweeper import Sweeper
from tests.tasks.engine.sweeping import AGO, wakeups
from webapp.db import database
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import ForceEnd, IllegalTransition, State, Task

pytestmark = pytest.mark.usefixtures("each_look_sweeps")
WORKER = "worker"


def _held(state: State = State.IN_PROGRESS, **fields) -> Task:
    """A task that a run of WORKER has, and its lease is good."""
    defaults = {"fencing_token": "run", "worker": WORKER, "lease_until": utcnow() + timedelta(seconds=15), "retries": 3}
    return make_task(state, **defaults | fields)


def _sweeper(marked: list | None = None, killed: list | None = None) -> Sweeper:
    found = [] if marked is None else marked
    return Sweeper(
        lambda: [killed.pop()] if killed else (), WORKER, mark=lambda task_id, token: found.append((task_id, token))
    )


def _said(task: Task) -> list[str]:
    return [event.words() for event in task.timeline() if event.kind in ("canceling", "canceled")]


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.PAUSING, State.CANCELING])
def test_a_task_that_a_worker_has_is_canceling_at_once_and_its_worker_kills_its_run(each_database, state):
    task, marked = _held(state), []
    task.force_end("It hangs.")
    assert task.reload().state == State.CANCELING
    assert _said(task)[-1].endswith("without waiting for the current step: It hangs.")
    _sweeper(marked).look()
    assert marked == [(task.id.hex, "run")]
    killed = [TimedOutRun(task.id.hex, "run", Reason.FORCED, 0.0, False)]
    _sweeper(killed=killed).look()
    assert (task.reload().state, task.fencing_token, task.rescues) == (State.CANCELED, None, 0)
    assert (ForceEnd.select().count(), wakeups()) == (0, 0)
    assert operator_canceled(task)


def test_without_a_reason_the_timeline_names_none(app):
    task = _held()
    task.force_end()
    assert _said(task) == ["Canceled by an operator, without waiting for the current step"]


@pytest.mark.parametrize("state", [State.PENDING, State.PAUSED, State.SUCCEEDED, State.RETRYING])
def test_a_task_that_no_worker_has_cannot_be_ended_so(app, state):
    task = make_task(state)
    with pytest.raises(IllegalTransition):
        task.force_end("No.")
    assert (task.reload().state, ForceEnd.select().count()) == (state, 0)


def test_asked_for_twice_it_is_done_once(app):
    task = _held()
    task.force_end("It hangs.")
    with pytest.raises(AlreadyForced):
        task.force_end("It hangs.")
    assert len(_said(task)) == 1


def test_another_workers_sweeper_kills_nothing(app):
    _held().force_end()
    marked = []
    Sweeper(token="another", mark=lambda *run: marked.append(run)).look()
    assert (marked, ForceEnd.select().count()) == ([], 1)


@pytest.mark.parametrize(
    ("verb", "arguments", "becomes"),
    [
        ("succeed", [], State.SUCCEEDED),
        ("fail", ["It broke."], State.FAILED),
        ("retry_later", [1.0, "It broke."], State.CANCELED),
        ("hand_back", [], State.CANCELED),
        ("make_way", [], State.CANCELED),
        ("interrupt", ["The database was away."], State.CANCELED),
        ("time_out", ["It took too long.", 1.0, True], State.CANCELED),
        ("acknowledge_stop", [], State.CANCELED),
    ],
)
def test_a_run_that_ends_in_that_moment_has_ended_and_nothing_tries_it_again(each_database, verb, arguments, becomes):
    task, marked = _held(), []
    task.force_end("It hangs.")
    getattr(task, verb)(*arguments)
    assert task.reload().state == becomes
    _sweeper(marked, [TimedOutRun(task.id.hex, "run", Reason.FORCED, 0.0, False)]).look()
    assert (task.reload().state, ForceEnd.select().count(), marked) == (becomes, 0, [])


def test_a_lease_that_is_lost_ends_it_and_no_rescue_brings_it_back(each_database):
    task = _held()
    task.force_end("It hangs.")
    Task.update(lease_until=utcnow() - AGO).execute()
    Sweeper(token="another").look()
    assert (task.reload().state, task.rescues, task.crashes) == (State.CANCELED, 0, 0)
    assert (ForceEnd.select().count(), wakeups()) == (0, 0)


def test_what_was_retried_before_the_request_was_cleared_away_runs_on(each_database):
    task, marked = _held(), []
    task.force_end("It hangs.")
    task.acknowledge_stop()
    Task.get_by_id(task.id).retry()
    assert Task.claim(timedelta(minutes=1), "next", WORKER).id == task.id
    _sweeper(marked).look()
    assert (task.reload().state, marked, ForceEnd.select().count()) == (State.IN_PROGRESS, [], 0)


def test_the_next_run_of_a_task_can_be_ended_too(app):
    task = _held()
    task.force_end("It hangs.")
    Task.update(state=State.IN_PROGRESS, fencing_token="next").execute()
    Task.get().force_end("It hangs again.")
    assert ForceEnd.get().fencing_token == "next"


@pytest.mark.parametrize("each_database", ["postgres"], indirect=True)  # on SQLite who asks waits for whoever writes
def test_a_request_waits_for_no_lock_of_the_run_and_is_told_once_that_is_gone(each_database):
    task, marked = _held(), []
    locked, asked = threading.Event(), threading.Event()

    def run() -> None:
        with database.atomic():
            Task.update(done=Task.done).where(Task.id == task.id).execute()
            locked.set()
            asked.wait(20)
        database.close()

    holding = threading.Thread(target=run)
    holding.start()
    assert locked.wait(20)
    try:
        task.force_end("It hangs.")
        assert (task.reload().state, ForceEnd.get().is_told) == (State.IN_PROGRESS, False)
        _sweeper(marked).look()
        assert marked == [(task.id.hex, "run")]
    finally:
        asked.set()
        holding.join()
    _sweeper(killed=[TimedOutRun(task.id.hex, "run", Reason.FORCED, 0.0, False)]).look()
    assert task.reload().state == State.CANCELED
    assert len(_said(task)) == 2


def test_a_task_that_its_run_let_go_of_before_it_could_be_told_is_canceled_all_the_same(app):
    task = _held()
    task.force_end("It hangs.")
    Task.update(state=State.PENDING, fencing_token=None, queue_key=1).execute()
    ForceEnd.update(is_told=False).execute()
    _sweeper().look()
    assert (task.reload().state, ForceEnd.select().count()) == (State.CANCELED, 0)
    assert _said(task)[-1] == "Canceled by an operator: It hangs."


def test_to_look_for_requests_takes_two_queries_where_there_are_none(app, queries):
    one = _sweeper()
    one.look()
    with queries() as without:
        one._forced_ends.mark_mine()
        one._forced_ends.follow_up(one._leadership)
    assert without.count == 2
