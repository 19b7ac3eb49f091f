"""The watchdog: it sees from outside when a run does not end although its clock has, and says so once."""

import time
from uuid import UUID

import pytest

from tasks.engine import run_clock
from tasks.engine.run_clock import Reason, RunClock, SharedDeadline, TimedOutRun
from tasks.engine.watchdog import Watchdog

TASK, TOKEN = "a" * 32, "b" * 32


@pytest.fixture
def dog(monkeypatch, configure):
    """The watchdog of three processes; this one is the second of them, and has little time."""
    monkeypatch.setattr(run_clock, "shared", SharedDeadline())
    configure(kill_after=0.05, timeout=0.1)
    dog = Watchdog(3)
    dog.watch_me(1)
    return dog


def _overdue(dog: Watchdog, seconds: float) -> set[int]:
    """Which are overdue at any time of the next so many seconds."""
    end, found = time.monotonic() + seconds, set()
    while time.monotonic() < end:
        found |= {number for number in range(3) if dog.is_overdue(number)}
        time.sleep(0.005)
    return found


def test_a_run_past_its_deadline_is_overdue_and_reported_once(dog):
    with RunClock().running(TASK, TOKEN, None):
        assert _overdue(dog, 0.6) == {1}
        assert dog.report(1)
        assert not dog.report(1)
    assert list(dog.killed_runs()) == [TimedOutRun(TASK, TOKEN, Reason.NO_PROGRESS, 0.1, False)]
    assert list(dog.killed_runs()) == []


def test_a_run_that_makes_progress_is_not_overdue(dog):
    run = RunClock()
    with run.running(TASK, TOKEN, None):
        for _ in range(20):
            assert not _overdue(dog, 0.02)
            run.touch()


def test_the_timeout_of_a_whole_run_is_not_put_off_by_progress(dog):
    run = RunClock()
    with run.running(TASK, TOKEN, 0.05):
        run.touch(60)
        run.mark_progress()
        assert _overdue(dog, 0.6) == {1}
        dog.report(1)
    [killed] = dog.killed_runs()
    assert killed.made_progress
    assert killed.message == "It took longer than 0.05 seconds, and was stopped."


def test_a_run_that_has_ended_is_not_overdue(dog):
    with RunClock().running(TASK, TOKEN, None):
        pass
    assert not _overdue(dog, 0.3)
    assert not dog.report(1)


def test_a_watchdog_that_was_stopped_itself_gives_a_run_its_time(dog):
    with RunClock().running(TASK, TOKEN, None):
        time.sleep(0.3)
        assert not dog.is_overdue(1)


def test_killed_runs_that_nobody_reads_block_nobody(dog, caplog):
    for _ in range(1000):
        with RunClock().running(TASK, TOKEN, None):
            assert dog.report(1)
    assert "Nobody records it" in caplog.text
    assert {record.fields["task_id"] for record in caplog.records} == {UUID(TASK)}
    assert 0 < len(list(dog.killed_runs())) < 1000
