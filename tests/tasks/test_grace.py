"""Whose lease may be taken for ended after the database was away."""

from datetime import timedelta

import pytest

from tasks.engine import lease_grace as module
from tasks.engine.config import config
from tasks.engine.lease_grace import AT_MOST, CATCH_UP, Grace

LEASE = 15.0
LASTS = LEASE + CATCH_UP


@pytest.fixture
def clock(monkeypatch):
    """A list whose only item is the time."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(config, "lease", timedelta(seconds=LEASE))
    return now


def _hears(grace: Grace, clock: list[float], after: float, took: float = 0.0) -> None:
    clock[0] += after + took
    grace.hears(clock[0] - took)


def test_a_sweeper_that_begins_gives_none(clock):
    grace = Grace()
    _hears(grace, clock, 0)
    assert grace.is_over


def test_after_the_database_was_away_it_lasts_for_another_lease(clock):
    grace = Grace()
    grace.is_away()
    _hears(grace, clock, 60)
    assert not grace.is_over
    clock[0] += LASTS
    assert grace.is_over


def test_an_answer_that_took_long_is_one_that_was_held_up(clock):
    grace = Grace()
    _hears(grace, clock, 1, took=LEASE / 3)
    assert grace.is_over
    _hears(grace, clock, 1, took=LEASE)
    assert not grace.is_over


def test_where_it_comes_and_goes_it_has_an_end(clock):
    grace = Grace()
    over = []
    for _ in range(20):
        grace.is_away()
        _hears(grace, clock, LASTS / 4)
        over.append(grace.is_over)
    assert over[:8] == [False] * 8
    assert all(over[AT_MOST * 4 + 1 :])


def test_a_long_absence_after_that_is_one_of_its_own(clock):
    grace = Grace()
    for _ in range(20):
        grace.is_away()
        _hears(grace, clock, LASTS / 4)
    grace.is_away()
    _hears(grace, clock, 3 * LASTS)
    assert not grace.is_over
