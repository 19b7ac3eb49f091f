"""What the log says of something that fails again and again."""

import logging
import os
import time

import pytest

from webapp.lib import outage
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


def test_outage_is_logged_once_a_minute_and_when_it_is_over(clock, away, caplog):
    for _ in range(650):
        away.failed(OSError("refused\n\tby   nobody"))
        clock[0] += 0.1
    away.is_over()
    assert caplog.messages == ["It is away: refused by nobody"] * 2
    clock[0] += outage.QUIET_FOR
    for _ in range(3):
        away.is_over()
    assert caplog.messages[2:] == ["It is back"]


def test_alternating_failures_do_not_flood_the_log(clock, away, caplog):
    for _ in range(1200):
        away.failed(OSError("gone"))
        clock[0] += 0.05
        away.is_over()
        clock[0] += 0.05
    assert len(caplog.messages) <= 4


def test_forked_processes_log_an_outage_once(away, caplog):
    child = os.fork()
    if child == 0:
        away.failed(OSError("gone"))
        os._exit(0)
    os.waitpid(child, 0)
    away.failed(OSError("gone"))
    assert caplog.messages == [], "the child has told it"


def test_what_was_not_foreseen_is_an_error_with_its_traceback(away, caplog):
    away.failed(ValueError("no"), traceback=True)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info
