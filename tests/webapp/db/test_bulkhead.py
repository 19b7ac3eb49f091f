"""How many threads wait for the database at a time, and what becomes of the others."""

import threading
import time
from contextlib import suppress

import pytest

from tests.bulkheads import hold_places
from tests.processes import until
from webapp.db import bulkhead as bulkheads
from webapp.db.bulkhead import PLACES, STUCK_AFTER, Bulkhead, Unavailable


@pytest.fixture
def bulkhead(monkeypatch):
    """One in which a thread queues for as long as others get further."""
    monkeypatch.setattr(bulkheads, "QUEUE_TIMEOUT", 3600.0)
    return Bulkhead()


def _waits(bulkhead: Bulkhead, monkeypatch) -> list[float]:
    """For how long each thread that queues waits at most."""
    waits, wait = [], bulkhead._queue.wait
    monkeypatch.setattr(bulkhead._queue, "wait", lambda timeout: waits.append(timeout) or wait(timeout))
    return waits


def test_bulkhead_turns_a_thread_away_when_all_places_are_stuck(bulkhead, monkeypatch):
    over, waits = threading.Event(), _waits(bulkhead, monkeypatch)
    threads = hold_places(bulkhead, PLACES, over)
    with pytest.raises(Unavailable):
        bulkhead.enter()
    assert time.monotonic() - bulkhead._progress_at >= STUCK_AFTER
    waits.clear()
    for _ in range(20):
        with pytest.raises(Unavailable):
            bulkhead.enter()
    assert waits == [], "it is known by now that nobody gets further"
    over.set()
    for thread in threads:
        thread.join()
    with bulkhead.place():
        pass


def test_bulkhead_is_reentrant(bulkhead):
    over = threading.Event()
    threads = hold_places(bulkhead, PLACES - 1, over)
    with bulkhead.place(), bulkhead.place():
        pass
    over.set()
    for thread in threads:
        thread.join()


def test_bulkhead_queues_longer_while_others_make_progress(bulkhead, monkeypatch):
    monkeypatch.setattr(bulkheads, "STUCK_AFTER", 1.5)
    over = threading.Event()
    threads = hold_places(bulkhead, PLACES - 1, over)
    inside = threading.Event()

    def get_on() -> None:
        with bulkhead.place():
            inside.set()
            for _ in range(8):
                time.sleep(0.25)
                with bulkhead.place():
                    pass

    busy = threading.Thread(target=get_on)
    busy.start()
    inside.wait()
    with bulkhead.place():  # after two seconds, in which each answer took a quarter of one
        pass
    over.set()
    for thread in [busy, *threads]:
        thread.join()


def test_tripped_bulkhead_lets_nobody_in_until_a_probe_succeeds(monkeypatch):
    answers = threading.Event()

    def probe() -> None:
        if not answers.is_set():
            raise OSError("silence")

    bulkhead = Bulkhead(probe)
    waits = _waits(bulkhead, monkeypatch)
    bulkhead.trip()
    for _ in range(3):
        with pytest.raises(Unavailable):
            bulkhead.enter()
    assert waits == []
    answers.set()

    def lets_in() -> bool:
        with suppress(Unavailable), bulkhead.place():
            return True
        return False

    until(lets_in)
