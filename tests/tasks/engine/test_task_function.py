"""Launching: the row first, the message after the commit, and neither without the other for long."""

import sqlite3
import threading
from datetime import timedelta

import pytest
from huey.signals import SIGNAL_ENQUEUED

from tasks.countdown import countdown
from tasks.engine import InvalidArguments, wakeup
from tasks.engine.sweeper import Sweeper
from tasks.export_posts import export_posts
from tasks.queue import huey
from tests.processes import free_port
from tests.services import redis_server
from webapp.db import database
from webapp.dev.factories import make_user
from webapp.lib import circuit_breaker
from webapp.models import AlreadyRunning, State, Task


def _messages() -> int:
    return huey.storage.queue_size()


def test_a_launched_task_is_a_row_that_waits_and_a_message(app):
    user = make_user()
    task = countdown.launch(user, seconds=7).reload()
    assert (task.state, task.user, task.name, task.arguments) == (State.PENDING, user, "countdown", {"seconds": 7})
    assert task.title == "Count down from 7"
    assert task.queue_key is not None
    assert _messages() == 1


def test_a_message_is_sent_only_after_the_commit(app):
    with database.atomic():
        task = countdown.launch(make_user(), seconds=7)
        assert _messages() == 0
    assert _messages() == 1
    assert task.reload().state == State.PENDING


def test_whoever_gets_the_message_finds_the_row(app, settings):
    found = []

    def look(signal, message):
        with sqlite3.connect(settings.data_dir / "errand.db") as other:
            found.extend(other.execute("SELECT name FROM tasks").fetchall())
        other.close()

    huey.signal(SIGNAL_ENQUEUED)(look)
    try:
        countdown.launch(make_user(), seconds=7)
    finally:
        huey.disconnect_signal(look, SIGNAL_ENQUEUED)
    assert found == [("countdown",)]


def test_a_rolled_back_request_starts_nothing(app):
    with database.atomic() as transaction:
        countdown.launch(make_user(), seconds=7)
        transaction.rollback()
    assert _messages() == 0
    assert not Task.select().exists()


def test_a_launch_succeeds_while_the_queue_is_down_and_the_message_follows(make_app, caplog, monkeypatch, configure):
    configure(sweep=timedelta(0))
    monkeypatch.setattr(circuit_breaker, "FIRST_WAIT", 0.0)  # it is asked again at once
    port = free_port()
    make_app(redis_url=f"redis://127.0.0.1:{port}/0")
    task = countdown.launch(make_user(), seconds=7)
    assert task.reload().state == State.PENDING
    assert "The queue does not answer" in caplog.text

    sweeper = Sweeper()
    sweeper.look()
    with redis_server(port):
        sweeper.look()
        assert _messages() == 1
        sweeper.look()
        assert _messages() == 1
        huey.storage.close()


def test_more_messages_than_tasks_are_harmless(app, run_tasks):
    task = countdown.launch(make_user(), seconds=1)
    wakeup.send(2)
    assert run_tasks() == 3
    assert (task.reload().state, task.attempts) == (State.SUCCEEDED, 1)
    assert [event.kind for event in task.timeline()] == ["launched", "started", "succeeded"]


@pytest.mark.parametrize(
    ("arguments", "wrong"), [({"seconds": 0}, "seconds"), ({"seconds": "3"}, "seconds"), ({"minutes": 3}, "minutes")]
)
def test_wrong_arguments_start_nothing(app, arguments, wrong):
    with pytest.raises(InvalidArguments) as refused:
        countdown.launch(make_user(), **arguments)
    assert list(refused.value.errors) == [wrong]
    assert not Task.select().exists()
    assert _messages() == 0


def test_one_export_at_a_time_for_each_person(app):
    ann, bob = make_user(), make_user()
    first = export_posts.launch(ann)
    export_posts.launch(bob)
    with pytest.raises(AlreadyRunning) as refused:
        export_posts.launch(ann, format="csv")
    assert refused.value.task == first
    assert _messages() == Task.select().count() == 2


def test_two_launches_that_race_start_one_task(app):
    user, barrier, outcomes = make_user(), threading.Barrier(4), []

    def launch():
        with database.connection_context():
            barrier.wait()
            try:
                outcomes.append(export_posts.launch(user))
            except AlreadyRunning as error:
                outcomes.append(error)
            else:
                huey.storage.close()

    threads = [threading.Thread(target=launch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyRunning"] * 3 + ["Task"]
    assert _messages() == Task.select().count() == 1


def test_a_function_is_known_by_its_name_and_its_docstring(declare):
    @declare(title=lambda number: f"Count to {number:,}")
    def count_sheep(task, number: int = 1000):
        """Count sheep.

        One by one.
        """

    assert (count_sheep.name, count_sheep.label) == ("count_sheep", "Count sheep")
    assert count_sheep.description == "Count sheep.\n\nOne by one."
    assert count_sheep.title({"number": 5000}) == "Count to 5,000"


def test_a_task_without_a_title_is_called_by_its_function(declare):
    @declare()
    def count_the_stars(task):
        pass

    task = count_the_stars.launch(make_user())
    assert (task.title, str(task)) == ("Count the stars", "Count the stars")
