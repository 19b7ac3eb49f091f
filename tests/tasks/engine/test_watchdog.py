"""The watchdog: it sees from outside when a run goes on past its deadline, and reports that once."""

from uuid import UUID

import pytest

from tasks.engine import run_clock
from tasks.engine.run_clock import Reason, RunClock, SharedDeadline, TimedOutRun
from tasks.engine.watchdog import Watchdog
from tests.tasks.engine.clock import Clock

TASK, TOKEN = "a" * 32, "b" * 32
TIMEOUT, KILL_AFTER = 300.0, 5.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dog(monkeypatch, configure, clock) -> Watchdog:
    """The watchdog of three processes; this one is the second of them."""
    monkeypatch.setattr(run_clock, "shared", SharedDeadline())
    configure(timeout=TIMEOUT, kill_after=KILL_AFTER)
    dog = Watchdog(3, clock)
    dog.watch_me(1)
    return dog


@pytest.fixture
def overdue(dog, clock):
    """A function that lets so many seconds pass, looks each second, and says which are overdue then."""

    def overdue(seconds: float) -> set[int]:
        found = set()
        for _ in range(looks := max(1, int(seconds))):
            clock.advance(seconds / looks)
            found = {number for number in range(3) if dog.is_overdue(number)}
        return found

    return overdue


def test_a_run_past_its_deadline_is_overdue_and_reported_once(dog, clock, overdue):
    with RunClock(clock).running(TASK, TOKEN, None):
        assert overdue(TIMEOUT) == set()
        assert overdue(KILL_AFTER - 0.1) == set()
        assert overdue(0.2) == {1}
        assert dog.report(1)
        assert not dog.report(1)
    assert list(dog.killed_runs()) == [TimedOutRun(TASK, TOKEN, Reason.NO_PROGRESS, TIMEOUT, False)]
    assert list(dog.killed_runs()) == []


def test_a_run_that_makes_progress_is_not_overdue(clock, overdue):
    run = RunClock(clock)
    with run.running(TASK, TOKEN, None):
        for _ in range(20):
            assert not overdue(TIMEOUT - 1)
            run.touch()
        assert overdue(TIMEOUT + 2 * KILL_AFTER) == {1}


def test_the_timeout_of_a_whole_run_is_not_put_off_by_progress(dog, clock, overdue):
    run = RunClock(clock)
    with run.running(TASK, TOKEN, 0.05):
        run.touch(60)
        run.mark_progress()
        assert overdue(2 * KILL_AFTER) == {1}
        dog.report(1)
    [killed] = dog.killed_runs()
    assert killed.made_progress
    assert str(killed.message) == "It took longer than 0.05 seconds and was stopped."


def test_a_run_asked_to_stop_is_overdue_however_much_progress_it_makes(dog, clock, overdue):
    run = RunClock(clock)
    with run.running(TASK, TOKEN, None):
        overdue(TIMEOUT / 2)
        run.touch()
        run.stop_requested()
        for _ in range(10):
            run.touch()
            run.stop_requested()
            clock.advance(TIMEOUT / 10)
        assert overdue(2 * KILL_AFTER) == {1}
        dog.report(1)
    assert [killed.reason for killed in dog.killed_runs()] == [Reason.STOP_REQUESTED]


def test_a_run_that_has_ended_is_not_overdue(dog, clock, overdue):
    with RunClock(clock).running(TASK, TOKEN, None):
        pass
    assert not overdue(2 * TIMEOUT)
    assert not dog.report(1)


def test_a_watchdog_that_was_stopped_itself_gives_a_run_its_time(dog, clock, overdue):
    with RunClock(clock).running(TASK, TOKEN, None):
        clock.advance(10 * TIMEOUT)
        assert not dog.is_overdue(1)
        assert overdue(2 * KILL_AFTER) == {1}


def test_killed_runs_that_nobody_reads_block_nobody(dog, clock, caplog):
    for _ in range(1000):
        with RunClock(clock).running(TASK, TOKEN, None):
            assert dog.report(1)
    assert "Nobody records it" in caplog.text
    assert {record.fields["task_id"] for record in caplog.records} == {UUID(TASK)}
    assert 0 < len(list(dog.killed_runs())) < 1000


def test_a_run_that_has_driven_its_process_past_its_memory_is_overdue_after_a_while(dog, clock):
    with RunClock(clock).running(TASK, TOKEN, None):
        assert not dog.is_overdue(1, is_too_large=True), "it has had no time to end by itself"
        clock.advance(KILL_AFTER - 0.1)
        assert not dog.is_overdue(1, is_too_large=True)
        assert not dog.is_overdue(1), "it has given some back"
        clock.advance(0.2)
        assert not dog.is_overdue(1, is_too_large=True), "and its time begins anew"
        clock.advance(KILL_AFTER)
        assert dog.is_overdue(1, is_too_large=True)
        assert dog.report(1)
    [run] = dog.killed_runs()
    assert (run.reason, str(run.message)) == (
        Reason.MEMORY,
        "It needed more memory than a task may use and was stopped.",
    )
