"""The queue: signed wake-ups and nothing else. Whoever can write to it can still run nothing of their own."""

import json
import pickle
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from huey.registry import Message

from tasks.countdown import countdown
from tasks.engine import wakeup
from tasks.queue import WAIT_FOR_TURN, SignedJson, huey
from tests.network import Network
from tests.processes import free_port, until
from tests.racing import race
from webapp import db
from webapp.dev.factories import make_task, make_user
from webapp.lib.circuit_breaker import NotAsked
from webapp.lib.queue_file import QueueFile
from webapp.lib.redis_pool import ANSWERS_WITHIN
from webapp.models import State, Task


class Exploit:
    def __reduce__(self):
        return (_explode, ())


def _explode():
    raise AssertionError("something from the queue was run")


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def queue(request, make_app):
    """An empty queue in each kind of storage."""
    if request.param == "redis":
        make_app(redis_url=request.getfixturevalue("redis_url"))
    elif request.param == "postgres":
        make_app(database_url=request.getfixturevalue("postgres_url"))
    else:
        make_app()
    yield huey.storage
    huey.storage.flush_queue()


def test_a_message_says_that_a_task_waits_and_nothing_else(queue):
    task = countdown.launch(make_user(), seconds=7)
    [raw] = queue.enqueued_items()
    assert str(task.id).encode() not in raw
    message = huey.dequeue()
    assert message.name == "perform"
    assert not message.args
    assert not message.kwargs
    assert b"seconds" not in raw
    assert b"7]" not in raw


# As the release before sent it, and understands it, too: by the module in which the function stood then.
OF_RELEASE_BEFORE = (
    b'["b1f7b1de-6a2a-4c2b-8a52-0d6f63f9f6a0", "tasks.engine.doorbell.perform", null]'
    b".ihZvslzDjzSFfwcO608lRpLtrSkbxaFYQ4NKwlQIX2w"
)


def test_a_message_of_the_release_before_executes_a_task(app, run_tasks):
    task = countdown.launch(make_user(), seconds=1)
    huey.storage.flush_queue()
    huey.storage.enqueue(OF_RELEASE_BEFORE)
    assert run_tasks() == 1
    assert task.reload().state == State.SUCCEEDED


def test_a_message_has_the_name_by_which_the_release_before_knows_it(queue):
    countdown.launch(make_user(), seconds=7)
    [raw] = queue.enqueued_items()
    ours, theirs = (json.loads(data[: data.rindex(b"]") + 1]) for data in (bytes(raw), OF_RELEASE_BEFORE))
    assert ours[1:] == theirs[1:]


def test_a_message_survives_the_way_through_the_queue():
    serializer = SignedJson("key")
    message = Message(id="1", name="perform", retries=0, retry_delay=0, priority=None, args=("a",), kwargs={})
    data = serializer.serialize(message)
    assert json.loads(data[: data.rindex(b"]") + 1]) == ["1", "perform", None, "a"]
    again = serializer.deserialize(data)
    assert (again.id, again.name, again.args, again.kwargs, again.retries) == ("1", "perform", ("a",), {}, 0)


def _forged() -> dict[str, bytes]:
    message = Message(id="1", name="perform", retries=0, retry_delay=0, priority=None, args=("a",), kwargs={})
    good = SignedJson("secret of a test").serialize(message)
    return {
        "tampered": good.replace(b'"a"', b'"b"'),
        "cut off": good[:-1],
        "signed with another key": SignedJson("another key").serialize(message),
        "not signed": b'["1", "perform", null, "a"]',
        "a pickle": pickle.dumps(Exploit()),
        "nothing": b"",
    }


@pytest.mark.parametrize("kind", _forged())
def test_what_we_did_not_sign_is_refused(app, kind):
    huey.storage.enqueue(_forged()[kind])
    with pytest.raises(ValueError, match="signature"):
        huey.dequeue()


DAMAGES = {
    "removed": lambda file: file.unlink(),
    "overwritten": lambda file: file.write_bytes(b"noise" * 5000),
    "emptied": lambda file: file.write_bytes(b""),
    "torn": lambda file: file.write_bytes(file.read_bytes()[:5000] + b"\xff" * 20_000),
    "exchanged for one without tables": lambda file: _exchange(file),
}


def _exchange(file: Path) -> None:
    new = file.with_suffix(".new")
    sqlite3.connect(new).execute("CREATE TABLE other (a)").connection.close()
    new.replace(file)


@pytest.mark.parametrize("is_open", [True, False], ids=["while it is open", "before it is opened"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_queue_whose_file_is_lost_or_damaged_is_made_anew(app, settings, damage, is_open):
    countdown.launch(make_user(), seconds=1)
    huey.storage.flush_queue() if not is_open else None
    if not is_open:
        huey.storage.close()
    for end in ("-wal", "-shm"):
        if not is_open:
            settings.queue_file.with_name(f"queue.db{end}").unlink(missing_ok=True)
    DAMAGES[damage](settings.queue_file)
    with suppress(sqlite3.DatabaseError):  # the first who asks may be told; then it is there
        huey.storage.enqueue(b"lost")
    huey.storage.flush_queue()
    huey.storage.enqueue(b"a message")
    assert huey.storage.dequeue() == b"a message"
    assert huey.storage.queue_size() == 0


def test_several_that_find_the_queue_damaged_make_one_new_one(app, settings):
    huey.storage.enqueue(b"lost")
    settings.queue_file.write_bytes(b"noise" * 5000)

    def enqueue() -> None:
        queue = QueueFile("errand", filename=str(settings.queue_file), create_tables=False)
        with suppress(sqlite3.DatabaseError):
            queue.enqueue(b"lost")
        queue.enqueue(b"a message")

    assert race(6, enqueue) == [None] * 6
    with suppress(sqlite3.DatabaseError):
        huey.storage.queue_size()
    assert huey.storage.enqueued_items().count(b"a message") == 6


def test_migrating_mends_the_queue(app, settings):
    huey.storage.close()
    settings.queue_file.write_bytes(b"noise" * 5000)
    db.migrate(huey.create_tables)
    assert huey.storage.queue_size() == 0


def test_a_message_for_a_task_that_is_gone_is_harmless(app, run_tasks):
    task = make_task(State.PENDING)
    countdown.launch(task.user, seconds=1)
    Task.delete().execute()
    assert run_tasks() == 1
    assert not Task.select().exists()


def test_a_message_that_comes_to_stand_before_those_taken_is_taken_in_the_end(make_app, postgres_url):
    make_app(database_url=postgres_url)
    storage = huey.storage
    for text in (b"1", b"2", b"3"):
        storage.enqueue(text)
    assert storage._dequeue() == b"1"
    storage.sql("INSERT INTO huey_task (id, queue, data) VALUES (1, %s, %s)", (storage.name, b"before"))
    storage.enqueue(b"first", priority=1)
    taken = [storage._dequeue() for _ in range(5)]
    assert taken == [b"2", b"3", b"first", b"before", None]


def test_nobody_waits_long_for_a_queue_on_which_somebody_else_waits(make_app, postgres_url):
    with Network(urlsplit(postgres_url).port) as network:
        address = urlsplit(postgres_url)
        make_app(database_url=address._replace(netloc=f"{address.username}@127.0.0.1:{network.port}").geturl())
        wakeup.send()
        network.stall()
        first = threading.Thread(target=wakeup.send, daemon=True)
        first.start()
        try:
            until(huey._turn.locked)
            begun = time.monotonic()
            with pytest.raises(NotAsked):
                wakeup.send()
            assert time.monotonic() - begun < 3 * WAIT_FOR_TURN
        finally:
            network.heal()
        first.join()
        wakeup.send()
        assert huey.pending_count() == 3
        huey.storage.flush_queue()
        huey.storage.close()


def test_what_no_queue_can_take_costs_no_second_wait_and_is_told_once(make_app, caplog):
    make_app(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    user = make_user()
    for _ in range(50):
        countdown.launch(user, seconds=1)
    assert caplog.text.count("The queue does not answer") == 1
    assert len(caplog.messages) == 1


def test_a_kept_connection_that_has_died_loses_no_message(make_app, redis_url):
    with Network(urlsplit(redis_url).port) as network:
        make_app(redis_url=f"redis://127.0.0.1:{network.port}{urlsplit(redis_url).path}")
        wakeup.send()
        network.cut()
        wakeup.send()
        assert huey.pending_count() == 2
        huey.storage.flush_queue()
        huey.storage.conn.close()


def test_a_redis_that_drips_holds_nobody(make_app, redis_url):
    with Network(urlsplit(redis_url).port) as network:
        make_app(redis_url=f"redis://127.0.0.1:{network.port}{urlsplit(redis_url).path}")
        network.drip(0.5)
        begun = time.monotonic()
        with pytest.raises(OSError, match="no answer within"):
            huey.storage.dequeue()
        with pytest.raises(OSError, match="no answer within"):
            wakeup.send()
        assert time.monotonic() - begun < 3 * ANSWERS_WITHIN + 3
