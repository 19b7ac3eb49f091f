"""What a process does about another machine that does not answer: it says so now and then, and does not ask at once."""

import logging
import os
import threading
from contextlib import suppress
from itertools import pairwise

import pytest

from webapp.lib import outage
from webapp.lib.outage import Breaker, NotAsked, Outage

log = logging.getLogger(__name__)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; add seconds to its one item."""
    now = [1000.0]
    monkeypatch.setattr(outage.time, "monotonic", lambda: now[0])
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


def test_an_outage_is_told_once_then_once_a_minute_and_when_it_is_over(clock, away, caplog):
    for _ in range(650):
        away.failed(OSError("refused\n\tby   nobody"))
        clock[0] += 0.1
    away.is_over()
    assert caplog.messages == ["It is away: refused by nobody"] * 2
    clock[0] += outage.QUIET_FOR
    for _ in range(3):
        away.is_over()
    assert caplog.messages[2:] == ["It is back"]


def test_what_fails_every_other_time_is_no_flood_either(clock, away, caplog):
    for _ in range(1200):
        away.failed(OSError("gone"))
        clock[0] += 0.05
        away.is_over()
        clock[0] += 0.05
    assert len(caplog.messages) <= 4


def test_processes_of_one_parent_tell_it_once(away, caplog):
    child = os.fork()
    if child == 0:
        away.failed(OSError("gone"))
        os._exit(0)
    os.waitpid(child, 0)
    away.failed(OSError("gone"))
    assert caplog.messages == [], "the child has told it"


def test_after_a_failure_all_fail_at_once_until_one_has_seen_that_it_answers(clock, away):
    breaker = Breaker(away)
    assert _fail(breaker) is OSError
    assert [_fail(breaker) for _ in range(3)] == [NotAsked] * 3
    clock[0] += outage.FIRST_WAIT
    with breaker:
        assert _fail(breaker) is NotAsked, "one at a time sees whether it is back"
    assert _fail(breaker) is OSError


def test_it_is_asked_less_often_the_longer_it_is_away_but_at_least_so_often(clock, away):
    breaker = Breaker(away)
    asked = []
    for second in range(120):
        clock[0] += 1
        if _fail(breaker) is OSError:
            asked.append(second)
    waits = [after - before for before, after in pairwise(asked)]
    assert waits[0] == outage.FIRST_WAIT
    assert set(waits[1:]) == {outage.LONGEST_WAIT}


def test_many_who_fail_together_are_one_failure(clock, away):
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
    clock[0] += outage.FIRST_WAIT
    assert _fail(breaker) is OSError
