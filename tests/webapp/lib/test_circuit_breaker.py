"""A circuit breaker: after a failure nobody asks again at once, and one at a time tries."""

import logging
import threading
import time
from contextlib import suppress
from itertools import pairwise

import pytest

from webapp.lib import circuit_breaker
from webapp.lib.circuit_breaker import Breaker, NotAsked
from webapp.lib.outage import Outage

log = logging.getLogger(__name__)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; add seconds to its one item."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def away() -> Outage:
    return Outage(log, "It is away", "It is back")


def _fail(breaker: Breaker) -> type[Exception]:
    try:
        with breaker:
            raise OSError("gone")
    except OSError as error:
        return type(error)


def test_breaker_opens_after_a_failure_and_lets_one_trial_through(clock, away):
    breaker = Breaker(away)
    assert _fail(breaker) is OSError
    assert [_fail(breaker) for _ in range(3)] == [NotAsked] * 3
    clock[0] += circuit_breaker.FIRST_WAIT
    with breaker:
        assert _fail(breaker) is NotAsked, "one at a time sees whether it is back"
    assert _fail(breaker) is OSError


def test_breaker_waits_longer_after_each_failure_up_to_a_maximum(clock, away):
    breaker = Breaker(away)
    asked = []
    for second in range(120):
        clock[0] += 1
        if _fail(breaker) is OSError:
            asked.append(second)
    waits = [after - before for before, after in pairwise(asked)]
    assert waits[0] == circuit_breaker.FIRST_WAIT
    assert set(waits[1:]) == {circuit_breaker.MAX_WAIT}


def test_simultaneous_failures_count_as_one(clock, away):
    breaker = Breaker(away)
    begun = threading.Barrier(5)

    def fail() -> None:
        with suppress(OSError), breaker:
            begun.wait(10)
            raise OSError("gone")

    threads = [threading.Thread(target=fail) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock[0] += circuit_breaker.FIRST_WAIT
    assert _fail(breaker) is OSError
