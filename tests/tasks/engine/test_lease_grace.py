"""Whose lease may be taken for ended after the database was away."""

from datetime import timedelta

import pytest

from tasks.engine.config import Config
from tasks.engine.lease_grace import AT_MOST, LeaseGrace
from tests.tasks.engine.clock import Clock

LEASE = 15.0
LASTS = LEASE + Config.lease_catch_up


@pytest.fixture
def clock(configure):
    configure(lease=timedelta(seconds=LEASE))
    return Clock()


def _answers(grace: LeaseGrace, clock: Clock, after: float, took: float = 0.0) -> None:
    clock.advance(after + took)
    grace.database_answers(clock() - took)


def test_a_new_sweeper_gives_no_grace(clock):
    grace = LeaseGrace(clock)
    _answers(grace, clock, 0)
    assert grace.is_over


def test_grace_lasts_for_a_lease_after_the_database_was_away(clock):
    grace = LeaseGrace(clock)
    grace.database_is_away()
    _answers(grace, clock, 60)
    assert not grace.is_over
    clock.advance(LASTS)
    assert grace.is_over


def test_a_slow_answer_counts_as_an_absence(clock):
    grace = LeaseGrace(clock)
    _answers(grace, clock, 1, took=LEASE / 3)
    assert grace.is_over
    _answers(grace, clock, 1, took=LEASE)
    assert not grace.is_over


def test_grace_ends_although_the_database_comes_and_goes(clock):
    grace = LeaseGrace(clock)
    over = []
    for _ in range(20):
        grace.database_is_away()
        _answers(grace, clock, LASTS / 4)
        over.append(grace.is_over)
    assert over[:8] == [False] * 8
    assert all(over[AT_MOST * 4 + 1 :])


def test_a_long_absence_begins_a_grace_of_its_own(clock):
    grace = LeaseGrace(clock)
    for _ in range(20):
        grace.database_is_away()
        _answers(grace, clock, LASTS / 4)
    grace.database_is_away()
    _answers(grace, clock, 3 * LASTS)
    assert not grace.is_over
