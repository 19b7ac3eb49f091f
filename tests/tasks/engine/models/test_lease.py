"""Leases: a run holds its task as long as it renews; then it is taken from it, and the run writes nothing more."""

from datetime import timedelta

import pytest

from tasks.engine.models.outcome import MOST_INTERRUPTIONS
from tasks.engine.models.phrases import DIED_REPEATEDLY, INTERRUPTED_REPEATEDLY
from tasks.engine.models.state import LEASED
from tasks.engine.models.sweeping import MOST_RESCUES
from tests.racing import race
from tests.webapp.models.everything import everything, row
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import IllegalTransition, State, Task

LEASE = timedelta(seconds=15)
OVER = timedelta(seconds=-1)


def _claim(lease: timedelta = LEASE) -> Task:
    task = Task.claim(lease)
    assert task
    return task


def _lost() -> list[Task]:
    return list(Task.lost(100))


def test_a_claim_takes_a_lease_from_now(app):
    make_task()
    before, task, after = utcnow(), _claim(), utcnow()
    assert before + LEASE <= row(task).lease_until <= after + LEASE
    assert _lost() == []


def test_renewal_extends_the_lease(app):
    make_task()
    task = _claim(OVER)
    assert _lost() == [task]
    assert task.renew(LEASE)
    assert row(task).lease_until > utcnow()
    assert _lost() == []


def test_renewing_is_one_write_of_which_its_owner_hears_nothing(app, queries):
    make_task()
    task = _claim()
    people = everything()[0]
    with queries() as seen:
        task.renew(LEASE)
    assert seen.count == 1
    assert everything()[0] == people


@pytest.mark.parametrize("state", State)
def test_task_without_a_run_is_not_lost(app, state):
    task = make_task(state)
    if state in LEASED:
        Task.update(lease_until=utcnow() - timedelta(seconds=1)).where(Task.id == task.id).execute()
    assert _lost() == ([task] if state in LEASED else [])


def test_a_checkpoint_renews_the_lease(app):
    make_task()
    task = _claim(OVER)
    assert task.checkpoint({"done": 3}, 3, 10, "On it", LEASE)
    assert _lost() == []
    assert (row(task).done, row(task).total, row(task).stage) == (3, 10, "On it")


@pytest.mark.parametrize("state", [State.PAUSING, State.CANCELING])
def test_a_run_that_is_to_stop_may_still_save_what_it_did(app, state):
    task = make_task(state)
    assert task.checkpoint({"done": 13}, 13, 40, "", LEASE)
    assert not task.advance(14, 40, ""), "but it should go no further"
    assert row(task).done == 13


def test_a_run_that_renewed_in_between_is_not_rescued(app):
    make_task()
    task = _claim(OVER)
    [lost] = _lost()
    assert task.renew(LEASE)
    before = everything()
    assert not lost.rescue()
    assert everything() == before


def test_a_task_that_moved_on_in_between_is_not_rescued(app):
    make_task()
    task = _claim(OVER)
    [lost] = _lost()
    task.succeed()
    before = everything()
    assert not lost.rescue()
    assert everything() == before


def test_a_lost_task_waits_for_another_run_which_goes_on(app):
    make_task()
    dead = _claim()
    dead.checkpoint({"done": 7, "total": 10}, 7, 10, "", OVER)
    dead.advance(9, 10, "")
    [lost] = _lost()
    assert lost.rescue()
    task = row(dead)
    assert (task.state, task.fencing_token, task.lease_until, task.stage) == (State.PENDING, None, None, "")
    assert (task.done, task.total, task.attempts, task.rescues) == (7, 10, 0, 1)
    assert task.timeline()[-1].text == "Lost contact with the worker; waiting for another"
    task = _claim()
    assert (task.attempts, task.cursor) == (1, {"done": 7, "total": 10})
    assert not dead.renew(LEASE)
    with pytest.raises(IllegalTransition):
        dead.succeed()
    assert row(task).fencing_token == task.fencing_token


@pytest.mark.parametrize(("asked", "became"), [("pause", State.PAUSED), ("cancel", State.CANCELED)])
def test_a_dead_worker_does_what_its_owner_asked_for(app, asked, became):
    make_task()
    getattr(row(_claim(OVER)), asked)()
    [lost] = _lost()
    assert lost.rescue()
    task = row(lost)
    assert (task.state, task.fencing_token, task.lease_until) == (became, None, None)
    assert became.words in task.timeline()[-1].text


def test_a_pause_that_came_between_the_look_and_the_rescue_is_not_forgotten(app):
    make_task()
    task = _claim(OVER)
    [lost] = _lost()
    row(task).pause()
    assert not lost.rescue(), "the next look sees that it is to pause"
    assert row(task).state == State.PAUSING
    [lost] = _lost()
    assert lost.rescue()
    assert row(task).state == State.PAUSED


def test_a_task_that_kills_its_workers_fails_in_words_after_so_many(app):
    make_task(retries=1)
    for number in range(MOST_RESCUES):
        task = _claim(OVER)
        assert (task.attempts, task.rescues) == (1, number), "dying is no attempt"
        [lost] = _lost()
        assert lost.rescue()
        assert row(task).state == State.PENDING
    task = _claim(OVER)
    [lost] = _lost()
    assert lost.rescue()
    task = row(task)
    assert (task.state, task.error, task.fencing_token) == (State.FAILED, str(DIED_REPEATEDLY()), None)
    assert task.timeline()[-1].text == str(DIED_REPEATEDLY())
    assert task.finished_at


def test_trying_it_again_forgives_the_deaths(app):
    task = make_task(State.FAILED, rescues=MOST_RESCUES, crashes=MOST_RESCUES)
    task.retry()
    assert (row(task).rescues, row(task).crashes) == (0, 0)


def test_a_shutdown_is_no_attempt_and_no_death(app):
    make_task()
    for _ in range(MOST_RESCUES + 2):
        _claim().hand_back()
    task = _claim()
    assert (task.attempts, task.rescues) == (1, 0)


def test_what_cuts_a_run_off_is_no_attempt_but_no_death_and_has_an_end(app):
    make_task(retries=0)
    for number in range(MOST_INTERRUPTIONS):
        task = _claim()
        task.interrupt("The database didn’t respond.")
        task = row(task)
        assert (task.state, task.attempts, task.crashes) == (State.RETRYING, 0, 0)
        assert (task.rescues, task.interruptions) == (number + 1, number + 1)
        Task.update(run_at=utcnow()).execute()
        assert task.enqueue()
    task = _claim()
    task.interrupt("The database didn’t respond.")
    assert (row(task).state, row(task).error) == (State.FAILED, str(INTERRUPTED_REPEATEDLY()))


@pytest.mark.parametrize(
    "give_up",
    [
        lambda task: task.acknowledge_stop(),
        lambda task: task.interrupt("The database didn’t respond."),
        lambda task: task.hand_back(),
        lambda task: Task.get_by_id(task.id).rescue(),
    ],
    ids=["at a step", "by the database", "by its worker", "by a death"],
)
def test_pause_uses_no_attempt(app, give_up):
    """However often somebody pauses a mail, it is tried again as often as any other."""
    task = make_task(State.IN_PROGRESS, fencing_token="a run", attempts=1, retries=1, lease_until=utcnow())
    Task.get_by_id(task.id).pause()
    give_up(task)
    assert (row(task).state, row(task).attempts) == (State.PAUSED, 0)
    row(task).resume()
    again = _claim()
    again.retry_later(60, "The server is busy.")
    assert row(task).timeline()[-1].text.endswith("(attempt 2 of 2)")


@pytest.mark.parametrize(("asked", "is_then"), [("cancel", State.CANCELED), ("pause", State.PAUSED)])
def test_what_was_asked_for_goes_before_the_failure_of_one_that_was_interrupted_too_often(app, asked, is_then):
    task = make_task(State.IN_PROGRESS, fencing_token="a run", interruptions=MOST_INTERRUPTIONS)
    getattr(Task.get_by_id(task.id), asked)()
    task.interrupt("The database didn’t respond.")
    assert (row(task).state, row(task).fencing_token, row(task).error) == (is_then, None, "")
    assert row(task).timeline()[-1].text.endswith(f": {INTERRUPTED_REPEATEDLY()}")


def test_an_interruption_after_which_it_gets_further_is_forgotten(app):
    make_task()
    task = _claim()
    task.interrupt("The database didn’t respond.")
    Task.update(run_at=utcnow()).execute()
    assert row(task).enqueue()
    task = _claim()
    task.checkpoint({"done": 1, "total": 10}, 1, 10, "", LEASE)
    assert (row(task).interruptions, row(task).rescues) == (0, 1)


def test_an_interrupted_run_goes_by_the_checkpoint_that_stands(app):
    """The connection was cut as it committed another, and that was undone."""
    make_task()
    task = _claim()
    task.checkpoint({"done": 1, "total": 10}, 1, 10, "", LEASE)
    task.cursor, task.done = {"done": 7, "total": 10}, 7
    task.interrupt("The database didn’t respond.")
    assert (row(task).cursor, row(task).done) == ({"done": 1, "total": 10}, 1)


def test_time_that_no_run_worked_is_not_counted(app):
    make_task()
    task = _claim()
    Task.update(started_at=utcnow() - timedelta(seconds=100), updated_at=utcnow() - timedelta(seconds=40)).execute()
    Task.update(lease_until=utcnow() - timedelta(seconds=1)).execute()
    [lost] = _lost()
    lost.rescue()
    assert 59 < row(task).run_seconds < 61, "until it was last heard of"


def test_many_sweepers_rescue_a_task_once(each_database):
    make_task()
    _claim(OVER)
    results = race(6, lambda: [lost.rescue() for lost in Task.lost(10)] == [True])
    assert sorted(map(str, results)) == ["False"] * 5 + ["True"]
    task = Task.get()
    assert (task.state, task.rescues, task.attempts) == (State.PENDING, 1, 0)
    assert [event.kind for event in task.timeline()] == ["launched", "started", "pending"]


def test_a_rescue_and_a_renewal_that_race_leave_one_owner_or_none(each_database):
    for _ in range(5):
        Task.delete().execute()
        make_task()
        task = _claim(OVER)
        acts = [lambda task=task: task.renew(LEASE), lambda: any([lost.rescue() for lost in Task.lost(10)])]
        outcomes = race(2, lambda acts=acts: acts.pop()())
        assert sorted(outcomes) == [False, True]
        assert row(task).state in (State.PENDING, State.IN_PROGRESS)
        assert (row(task).fencing_token is None) == (row(task).state == State.PENDING)
