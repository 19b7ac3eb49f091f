"""How many threads wait for the database at a time, and what becomes of the others."""

import threading
import time
from contextlib import suppress

import pytest

from tests.bulkheads import hold_places
from webapp.db.bulkhead import PLACES, Bulkhead, Unavailable


def _took(act, error: type[BaseException]) -> float:
    begun = time.monotonic()
    with pytest.raises(error):
        act()
    return time.monotonic() - begun


@pytest.fixture
def bulkhead():
    return Bulkhead()


def test_bulkhead_turns_a_thread_away_when_all_places_are_stuck(bulkhead):
    over = threading.Event()
    threads = hold_places(bulkhead, PLACES, over)
    assert 0.3 < _took(bulkhead.enter, Unavailable) < 3
    begun = time.monotonic()
    for _ in range(20):
        with pytest.raises(Unavailable):
            bulkhead.enter()
    assert time.monotonic() - begun < 3, "it is known by now that nobody gets further"
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


def test_bulkhead_queues_longer_while_others_make_progress(bulkhead):
    over = threading.Event()
    threads = hold_places(bulkhead, PLACES - 1, over)

    def get_on() -> None:
        with bulkhead.place():
            for _ in range(8):
                time.sleep(0.25)
                with bulkhead.place():
                    pass

    busy = threading.Thread(target=get_on)
    busy.start()
    time.sleep(0.1)
    with bulkhead.place():  # after two seconds, in which each answer took a quarter of one
        pass
    over.set()
    for thread in [busy, *threads]:
        thread.join()


def test_tripped_bulkhead_lets_nobody_in_until_a_probe_succeeds():
    answers = threading.Event()

    def probe() -> None:
        if not answers.is_set():
            raise OSError("silence")

    bulkhead = Bulkhead(probe)
    bulkhead.trip()
    for _ in range(3):
        assert _took(bulkhead.enter, Unavailable) < 0.5
    answers.set()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with suppress(Unavailable), bulkhead.place():
            return
        time.sleep(0.05)
    raise AssertionError("it stayed closed")
