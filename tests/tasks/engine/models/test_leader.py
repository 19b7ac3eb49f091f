"""The leader: at any time at most one holds a role, and soon another when it does no more."""

from datetime import timedelta

import pytest

from tasks.engine.models import leader
from tests.racing import race
from webapp.lib.times import utcnow
from webapp.models import Leader

LEASE = timedelta(seconds=3)


@pytest.fixture
def clock(monkeypatch):
    """`clock(seconds)` sets the clock forward, or back."""
    now = [utcnow()]
    monkeypatch.setattr(leader, "utcnow", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    return move


def _hold(token: str, role: str = "sweeper") -> bool:
    return Leader.hold(role, token, LEASE)


def test_leader_leads_while_it_renews(app, clock):
    for _ in range(5):
        assert _hold("ann")
        assert not _hold("bob")
        clock(2)


def test_silent_leader_is_replaced(app, clock):
    assert _hold("ann")
    clock(3.1)
    assert _hold("bob")
    assert not _hold("ann")


def test_resigned_leader_is_replaced_at_once(app, clock):
    assert _hold("ann")
    Leader.resign("sweeper", "ann")
    assert _hold("bob")


def test_only_the_leader_can_resign(app, clock):
    assert _hold("ann")
    Leader.resign("sweeper", "bob")
    assert not _hold("bob")


def test_roles_are_held_apart(app, clock):
    assert _hold("ann", "sweeper")
    assert _hold("bob", "gardener")


def test_a_clock_that_was_set_back_keeps_nobody_waiting(app, clock):
    assert _hold("ann")
    clock(-3600)
    assert _hold("bob"), "no lease lasts an hour"
    assert not _hold("ann")


def test_a_clock_that_is_a_little_behind_takes_nothing_from_the_leader(app, clock):
    assert _hold("ann")
    clock(-2)
    assert not _hold("bob")
    assert _hold("ann")


def test_one_of_many_candidates_leads(each_database):
    for _ in range(3):
        Leader.delete().execute()
        tokens = [f"{n}" for n in range(6)]
        assert race(6, lambda tokens=tokens: _hold(tokens.pop())).count(True) == 1
        Leader.update(until=utcnow() - LEASE).execute()
        tokens = [f"{n}" for n in range(6)]
        assert race(6, lambda tokens=tokens: _hold(tokens.pop())).count(True) == 1
