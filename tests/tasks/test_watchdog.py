"""The watchdog: it sees from outside when a run does not end although its clock has, and says so once."""

import time
from uuid import UUID

import pytest

from tasks.engine import run_clock
from tasks.engine.config import config
from tasks.engine.run_clock import Clock, Face, Reason, Verdict
from tasks.engine.watchdog import Watchdog

TASK, TOKEN = "a" * 32, "b" * 32


@pytest.fixture
def dog(monkeypatch):
    """The watchdog of three processes; this one is the second of them, and has little time."""
    monkeypatch.setattr(run_clock, "face", Face())
    monkeypatch.setattr(run_clock, "KILL_AFTER", 0.05)
    monkeypatch.setattr(config, "timeout", 0.1)
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


def test_a_run_that_does_not_end_is_seen_and_told_of_once(dog):
    with Clock().running(TASK, TOKEN, None):
        assert _overdue(dog, 0.6) == {1}
        assert dog.condemn(1)
        assert not dog.condemn(1)
    assert list(dog.verdicts()) == [Verdict(TASK, TOKEN, Reason.NO_MOVE, 0.1, False)]
    assert list(dog.verdicts()) == []


def test_a_run_that_moves_is_let_go_on(dog):
    run = Clock()
    with run.running(TASK, TOKEN, None):
        for _ in range(20):
            assert not _overdue(dog, 0.02)
            run.moved()


def test_a_limit_for_a_whole_run_is_one_however_it_moves(dog):
    run = Clock()
    with run.running(TASK, TOKEN, 0.05):
        run.moved(60)
        run.got_further()
        assert _overdue(dog, 0.6) == {1}
        dog.condemn(1)
    [verdict] = dog.verdicts()
    assert verdict.further
    assert verdict.words == "It took longer than 0.05 seconds and was stopped."


def test_a_run_that_has_ended_is_not_overdue(dog):
    with Clock().running(TASK, TOKEN, None):
        pass
    assert not _overdue(dog, 0.3)
    assert not dog.condemn(1)


def test_who_was_stopped_for_long_itself_gives_a_run_its_time(dog):
    with Clock().running(TASK, TOKEN, None):
        time.sleep(0.3)
        assert not dog.is_overdue(1)


def test_more_verdicts_than_anybody_reads_hold_nobody_up(dog, caplog):
    for _ in range(1000):
        with Clock().running(TASK, TOKEN, None):
            assert dog.condemn(1)
    assert "Nobody records it" in caplog.text
    assert {record.fields["task_id"] for record in caplog.records} == {UUID(TASK)}
    assert 0 < len(list(dog.verdicts())) < 1000
