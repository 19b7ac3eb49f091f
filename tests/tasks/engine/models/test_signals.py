"""Signals: each is sent once for what it stands for, after the commit, and who listens can harm nobody."""

from datetime import timedelta

import pytest

from tasks.engine.models import signals
from tests.racing import elsewhere
from webapp.db import database
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task

LEASE = timedelta(seconds=15)
ALL = (signals.launched, signals.started, signals.progressed, signals.retried, signals.rescued, signals.finished)


@pytest.fixture
def heard(app):
    """What was sent, in order: the signal's name and the task's state as another connection reads it."""
    heard = []
    receivers = []
    for signal in (*ALL, signals.enqueued):

        def receive(task, name=signal.name):
            heard.append((name, str(elsewhere(lambda: Task.get_by_id(task.id).state))))

        receivers.append(receive)
        signal.connect(receive)
    yield heard
    for signal, receive in zip((*ALL, signals.enqueued), receivers, strict=True):
        signal.disconnect(receive)


def _start(**fields) -> Task:
    return Task.start(make_user(), "countdown", "Count down", {}, **fields)


def _claim() -> Task:
    task = Task.claim(LEASE)
    assert task
    return task


def test_a_life_is_told_step_by_step_each_after_its_commit(heard):
    _start()
    task = _claim()
    task.advance(1, 2, "")
    task.checkpoint({"done": 2}, 2, 2, "", LEASE)
    task.succeed()
    assert heard == [
        ("launched", "pending"),
        ("enqueued", "pending"),
        ("started", "in_progress"),
        ("progressed", "in_progress"),
        ("progressed", "in_progress"),
        ("finished", "succeeded"),
    ]


def test_an_attempt_that_fails_and_the_next_one(heard):
    task = _start(run_at=utcnow() + timedelta(hours=1))
    assert heard == [("launched", "scheduled")]
    Task.update(run_at=utcnow()).execute()
    task.enqueue()
    task = _claim()
    task.retry_later(0, "It broke.")
    task.enqueue()
    _claim().fail("It broke.")
    assert heard[1:] == [
        ("enqueued", "pending"),
        ("started", "in_progress"),
        ("retried", "retrying"),
        ("enqueued", "pending"),
        ("started", "in_progress"),
        ("finished", "failed"),
    ]


def test_a_run_that_died(heard):
    _start()
    task = _claim()
    Task.update(lease_until=utcnow() - LEASE).execute()
    heard.clear()
    assert Task.get_by_id(task.id).rescue()
    assert sorted(heard) == [("enqueued", "pending"), ("rescued", "pending")]


@pytest.mark.parametrize("state", [State.PENDING, State.SCHEDULED, State.RETRYING, State.PAUSED])
def test_a_task_that_is_canceled_has_stopped_once(heard, state):
    make_task(state).cancel()
    assert heard == [("finished", "canceled")]


def test_what_is_refused_is_not_told(heard):
    task = make_task(State.IN_PROGRESS)
    Task.update(fencing_token="another run").execute()
    assert not task.advance(1, 2, "")
    assert not task.checkpoint({"done": 1}, 1, 2, "", LEASE)
    assert not task.rescue()
    assert not make_task(State.SCHEDULED).enqueue()
    assert heard == []


@pytest.mark.parametrize("verb", ["succeed", "retry_later", "rescue", "hand_back", "advance"])
def test_what_is_rolled_back_was_never_told(heard, verb):
    task = make_task(State.IN_PROGRESS)
    arguments = {"retry_later": (1, "It broke."), "advance": (1, 2, "")}.get(verb, ())
    with database.atomic() as transaction:
        getattr(task, verb)(*arguments)
        _start()
        transaction.rollback()
    assert heard == []


def test_a_transaction_of_many_moves_tells_them_at_its_end(heard):
    with database.atomic():
        _start()
        task = _claim()
        task.succeed()
        assert heard == []
    assert [name for name, _ in heard] == ["launched", "enqueued", "started", "finished"]
    assert {state for _, state in heard} == {"succeeded"}


def test_a_receiver_that_raises_harms_neither_the_task_nor_the_other_receivers(app, caplog):
    heard = []

    def explode(task):
        raise RuntimeError("the accounting is on fire")

    def listen(task):
        heard.append(task.id)

    for receiver in (explode, listen):
        signals.finished.connect(receiver)
    try:
        task = make_task(State.IN_PROGRESS)
        task.succeed()
    finally:
        for receiver in (explode, listen):
            signals.finished.disconnect(receiver)
    assert Task.get_by_id(task.id).state == State.SUCCEEDED
    assert heard == [task.id]
    assert "the accounting is on fire" in caplog.text


def test_a_receiver_may_write(app):
    def follow(task):
        if task.title != "Follow":
            Task.start(task.user, "countdown", "Follow", {})

    signals.finished.connect(follow)
    try:
        make_task(State.IN_PROGRESS).succeed()
    finally:
        signals.finished.disconnect(follow)
    assert Task.select().where(Task.title == "Follow").count() == 1


def test_the_parts_of_a_family_are_told_like_any_task(heard):
    from webapp.models import Composition

    with database.atomic():
        parent = _start(composition=Composition.CHAIN)
        Task.start(parent.user, "countdown", "One", {}, parent=parent)
        parent.begin()
    heard.clear()
    _claim().succeed()
    assert [name for name, _ in heard].count("finished") == 2, "the part, and then the whole"
