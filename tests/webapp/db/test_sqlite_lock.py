"""One connection writes to SQLite at a time: who waits for that, how long, and what needs none of it."""

import threading
import time
from datetime import timedelta

import pytest
from peewee import OperationalError

from tests.bulkheads import hold_places
from tests.racing import elsewhere, race, somebody_else_writing
from webapp.db import database, sqlite_lock
from webapp.db.bulkhead import PLACES
from webapp.dev.factories import make_post, make_user
from webapp.lib.times import utcnow
from webapp.models import Post, User


def test_write_waits_for_the_write_lock(app, settings):
    user = make_user()
    with somebody_else_writing(settings) as other:
        threading.Timer(0.2, other.execute, ["COMMIT"]).start()
        make_post(user, body="written at last")
    assert Post.get().body == "written at last"


def test_write_fails_after_the_lock_timeout(app, settings, monkeypatch):
    user = make_user()
    monkeypatch.setattr(database.obj, "lock_timeout", 0.1)
    with somebody_else_writing(settings), pytest.raises(OperationalError, match="locked"):
        make_post(user)
    make_post(user)


def test_write_without_waiting_needs_no_place_in_the_bulkhead(app):
    """So a page that notes that somebody was here is read at once, whoever else is writing."""
    user = make_user(seen_at=utcnow() - timedelta(hours=1))
    over = threading.Event()
    threads = hold_places(database.obj.bulkhead, PLACES, over)
    user.seen(utcnow())
    over.set()
    for thread in threads:
        thread.join()
    assert utcnow() - User.get_by_id(user.id).seen_at < timedelta(minutes=1)


def test_run_gives_way_to_people_at_the_write_lock(app):
    """It would have the lock again at once: what keeps others out is one who takes it over and over."""
    user = make_user()
    stop = threading.Event()
    rounds: list[None] = []

    def write_as_a_run() -> None:
        while not stop.is_set():
            with sqlite_lock.as_run():
                transaction = database.atomic()
                transaction.__enter__()
            time.sleep(0.03)  # what it writes takes so long
            transaction.__exit__(None, None, None)
            rounds.append(None)

    runs = threading.Thread(target=race, args=(2, write_as_a_run))
    runs.start()
    try:
        waits = []
        for number in range(20):
            before = len(rounds)
            make_post(user, body=str(number))
            waits.append(len(rounds) - before)
    finally:
        stop.set()
        runs.join()
    assert max(waits) < 10, waits


def test_runs_share_the_write_lock_fairly(app):
    order: list[int] = []
    lock = threading.Lock()
    names = iter(range(2))

    def write_as_a_run() -> None:
        with lock:
            name = next(names)
        while len(order) < 60:
            with sqlite_lock.as_run():
                transaction = database.atomic()
                transaction.__enter__()
            order.append(name)
            time.sleep(0.02)
            transaction.__exit__(None, None, None)

    race(2, write_as_a_run)
    assert min(order.count(0), order.count(1)) > len(order) / 5


def test_waiting_writer_is_forgotten_when_its_lock_file_is_closed(app, settings):
    path = str(settings.data_dir / "errand.db")
    waiting = sqlite_lock._announced(path)
    waiting.__enter__()
    assert elsewhere(lambda: sqlite_lock._is_awaited(path, by_runs=False))
    waiting.__exit__(None, None, None)
    assert not sqlite_lock._is_awaited(path, by_runs=False)
