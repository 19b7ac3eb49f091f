"""The sweeper: every task that was started comes to its end, whatever was lost on the way; one sees to it."""

import sqlite3
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from peewee import OperationalError

from tasks.countdown import countdown
from tasks.engine import retention, sweep_hook, sweeper
from tasks.engine.config import config
from tasks.engine.run_clock import Reason, Verdict
from tasks.engine.sweep_hooks import sweep_hooks
from tasks.engine.sweeper import ROLE, Sweeper
from tasks.queue import huey
from tests.network import Network
from tests.processes import free_port, until
from tests.services import redis_server
from webapp.dev.factories import make_artifact, make_message, make_task, make_user
from webapp.lib import circuit_breaker
from webapp.lib.redis_pool import ANSWERS_WITHIN
from webapp.lib.times import utcnow
from webapp.models import Artifact, Leader, Message, Notice, State, Task, User, Worker
from webapp.models.task import signals

AGO = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def always(app, monkeypatch):
    """Each look looks for everything."""
    monkeypatch.setattr(config, "sweep", timedelta(0))


def _messages() -> int:
    return huey.pending_count()


def _lost(state: State = State.IN_PROGRESS, **fields) -> Task:
    return make_task(state, lease_until=utcnow() - AGO, **fields)


def test_what_is_said_of_a_lost_task_is_found_by_its_id(app, caplog):
    task = _lost(fencing_token="gone")
    Sweeper().look()
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage() == "Lost contact with the worker: the task is pending"
    assert record.fields == {"task_id": task.id, "kind": task.name, "user_id": task.user_id}


# What was killed


def _killed(task: Task, reason: Reason = Reason.NO_MOVE, further: bool = False) -> Verdict:
    return Verdict(task.id.hex, task.fencing_token, reason, 300.0, further)


@pytest.mark.parametrize(
    ("state", "fields", "further", "becomes", "attempts"),
    [
        (State.IN_PROGRESS, {"attempts": 1}, False, State.FAILED, 1),
        (State.IN_PROGRESS, {"attempts": 1}, True, State.FAILED, 1),
        (State.IN_PROGRESS, {"attempts": 1, "retries": 1}, False, State.RETRYING, 1),
        (State.IN_PROGRESS, {"attempts": 2, "retries": 1}, False, State.FAILED, 2),
        (State.IN_PROGRESS, {"attempts": 2, "retries": 1}, True, State.RETRYING, 1),
        (State.PAUSING, {"attempts": 1}, False, State.PAUSED, 1),
        (State.CANCELING, {"attempts": 1, "retries": 1}, True, State.CANCELED, 1),
    ],
)
def test_a_run_that_was_killed_by_its_clock_ends_in_words(
    each_database, monkeypatch, state, fields, further, becomes, attempts
):
    monkeypatch.setattr(config, "sweep", timedelta(0))
    task = make_task(state, lease_until=utcnow() - AGO, **fields)
    told = []
    receive = told.append
    signals.stopped.connect(receive)
    try:
        Sweeper(lambda: [_killed(task, further=further)]).look()
    finally:
        signals.stopped.disconnect(receive)
    now = Task.get_by_id(task.id)
    assert (now.state, now.attempts, now.rescues, now.fencing_token) == (becomes, attempts, 0, None)
    assert "It made no progress for 5 minutes and was stopped." in task.timeline()[-1].text
    if becomes == State.FAILED:
        assert now.error == "It made no progress for 5 minutes and was stopped."
        assert [notice.text for notice in Notice.select()] == [f"{task.title}: {now.error}"]
        assert [(sender.title, sender.name, sender.arguments) for sender in told] == [
            (task.title, task.name, task.arguments)
        ]


def test_a_verdict_on_a_run_that_has_lost_its_task_is_nothing(app):
    task = make_task(State.IN_PROGRESS)
    verdict = _killed(task)
    Task.update(fencing_token="another run").where(Task.id == task.id).execute()
    Sweeper(lambda: [verdict]).look()
    assert (task.reload().state, task.fencing_token) == (State.IN_PROGRESS, "another run")


def test_a_verdict_is_kept_while_the_database_does_not_answer(app, monkeypatch):
    task = make_task(State.IN_PROGRESS)
    verdicts = [_killed(task)]
    one = Sweeper(lambda: [verdicts.pop()] if verdicts else [])

    def fail(*_):
        raise OperationalError("database is locked") from sqlite3.OperationalError()

    with monkeypatch.context() as patch:
        patch.setattr(Task, "time_out", fail)
        patch.setattr(sweeper, "is_unavailable", lambda _: True)
        with pytest.raises(OperationalError):
            one.look()
    assert task.reload().state == State.IN_PROGRESS
    one.look()
    assert task.reload().state == State.FAILED


def test_a_verdict_is_kept_when_its_record_is_undone_with_the_rescue_that_it_came_before(app, monkeypatch):
    """Else the task would next be rescued as one whose worker had died."""
    task, verdicts = _lost(), []
    one = Sweeper(lambda: [verdicts.pop()] if verdicts else [])
    with monkeypatch.context() as patch:
        patch.setattr(one, "_say_that_it_lives", lambda: verdicts.append(_killed(task)))  # it comes in mid-look

        def fail(*_):
            assert Task.get_by_id(task.id).state == State.FAILED, "it is on record by now, but not for good"
            raise OperationalError("disk I/O error") from sqlite3.OperationalError()

        patch.setattr(Task, "rescue", fail)
        patch.setattr(sweeper, "is_unavailable", lambda _: True)
        with pytest.raises(OperationalError):
            one.look()
    assert Task.get_by_id(task.id).state == State.IN_PROGRESS
    for _ in range(2):
        one.look()
    assert (Task.get_by_id(task.id).state, Task.get_by_id(task.id).crashes) == (State.FAILED, 0)
    assert one._unrecorded == []


def test_after_a_silence_of_the_database_runs_get_the_time_to_renew_their_leases(app, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(sweeper.time, "monotonic", lambda: now[0])
    one = Sweeper()
    one.look()
    task = _lost()
    now[0] += 14  # nobody could write meanwhile
    one.look()
    assert task.reload().state == State.IN_PROGRESS
    for _ in range(5):
        now[0] += 4
        one.look()
    assert task.reload().state == State.PENDING, "what has not renewed it by then is lost"


def test_a_worker_is_known_until_it_says_goodbye(app):
    one = Sweeper(token="one", pid=7, processes=3)
    one.look()
    [worker] = Worker.select()
    assert (worker.token, worker.pid, worker.processes) == ("one", 7, 3)
    assert worker.lives_until > utcnow()
    one.resign()
    assert not Worker.select().exists()


# What is due, and what is lost


@pytest.mark.parametrize("state", [State.SCHEDULED, State.RETRYING])
def test_what_is_due_is_woken_with_a_message_and_what_is_not_sleeps_on(app, state):
    due, later = make_task(state, run_at=utcnow() - AGO), make_task(state)
    Sweeper().look()
    assert (due.reload().state, later.reload().state) == (State.PENDING, state)
    assert (due.run_at, due.queue_key is None) == (None, False)
    assert _messages() == 1


def test_a_schedule_is_kept_to_the_second(app):
    task = countdown.launch(make_user(), run_at=utcnow() + timedelta(hours=1), seconds=1)
    one = Sweeper()
    one.look()
    assert (task.reload().state, _messages()) == (State.SCHEDULED, 0)
    Task.update(run_at=utcnow()).execute()
    one.look()
    assert (task.reload().state, _messages()) == (State.PENDING, 1)


@pytest.mark.parametrize(
    ("state", "became"),
    [(State.IN_PROGRESS, "pending"), (State.PAUSING, "paused"), (State.CANCELING, "canceled")],
)
def test_what_has_lost_its_worker_is_rescued(app, state, became):
    task, held = _lost(state), make_task(state)
    Sweeper().look()
    assert (task.reload().state, held.reload().state) == (became, state)
    assert _messages() == (became == "pending")


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.PAUSING, State.CANCELING])
def test_what_is_rescued_says_how_far_it_came_and_not_what_its_run_told_last(app, state):
    task = _lost(state)
    Task.update(done=2, total=20, cursor={"done": 9, "total": 21}).where(Task.id == task.id).execute()
    Sweeper().look()
    assert (task.reload().done, task.total) == (9, 21)


def test_between_two_sweeps_it_only_wakes_what_is_due(app, monkeypatch):
    monkeypatch.setattr(config, "sweep", timedelta(hours=1))
    one = Sweeper()
    one.look()
    lost, due = _lost(), make_task(State.SCHEDULED, run_at=utcnow() - AGO)
    one.look()
    assert (lost.reload().state, due.reload().state) == (State.IN_PROGRESS, State.PENDING)


def test_a_look_takes_a_bounded_number_and_the_next_look_more(app, monkeypatch):
    monkeypatch.setattr(sweeper, "AT_ONCE", 2)
    user = make_user()
    for _ in range(3):
        make_task(State.SCHEDULED, user, run_at=utcnow() - AGO)
        _lost(user=user)
    one, left = Sweeper(), []
    for _ in range(2):
        one.look()
        left.append(Task.select().where(Task.state != State.PENDING).count())
    assert left == [2, 0], "two of each"


def test_a_lease_from_before_the_clock_was_set_back_ends_as_well(app):
    task = make_task(State.IN_PROGRESS, lease_until=utcnow() + timedelta(hours=1))
    normal = make_task(State.IN_PROGRESS, lease_until=utcnow() + config.lease)
    until = normal.reload().lease_until
    Sweeper().look()
    assert task.reload().lease_until <= utcnow() + config.lease
    assert normal.reload().lease_until == until


# One of them leads


def test_only_the_leader_does_anything(app):
    one, other = Sweeper(), Sweeper()
    one.look()
    task = _lost()
    other.look()
    assert task.reload().state == State.IN_PROGRESS
    one.look()
    assert task.reload().state == State.PENDING


@pytest.mark.parametrize("why", ["it resigned", "it died", "the clock was set back"])
def test_another_leads_when_the_leader_does_no_more(app, why):
    one, other = Sweeper(), Sweeper()
    one.look()
    if why == "it resigned":
        one.resign()
    else:
        until = utcnow() + (-AGO if why == "it died" else timedelta(hours=1))
        Leader.update(until=until).where(Leader.role == ROLE).execute()
    task = _lost()
    other.look()
    assert task.reload().state == State.PENDING
    again = _lost()
    one.look()
    assert again.reload().state == State.IN_PROGRESS, "there is one leader, and it is the other"


# Messages


def test_exactly_the_messages_that_are_missing_are_sent_again(app):
    user = make_user()
    for _ in range(5):
        countdown.launch(user, seconds=1)
    huey.storage.flush_queue()
    for _ in range(2):
        countdown.launch(user, seconds=1)
    one = Sweeper()
    one.look()
    assert _messages() == 2, "they may only be on their way"
    for _ in range(4):
        one.look()
        assert _messages() == 7


def test_a_healthy_backlog_gets_no_message_more(app):
    user = make_user()
    for _ in range(5):
        countdown.launch(user, seconds=1)
    one = Sweeper()
    for _ in range(3):
        one.look()
    assert _messages() == 5
    huey.dequeue()
    Task.claim(config.lease)
    for _ in range(3):
        one.look()
    assert _messages() == 4


def test_what_does_not_wait_for_a_worker_needs_no_message(app):
    for state in set(State) - {State.PENDING}:
        make_task(state)
    one = Sweeper()
    for _ in range(3):
        one.look()
    assert _messages() == 0


def test_so_many_messages_in_one_look_and_no_more(app, monkeypatch):
    monkeypatch.setattr(sweeper, "RINGS", 3)
    user = make_user()
    for _ in range(7):
        make_task(State.PENDING, user)
    one, sent = Sweeper(), []
    for _ in range(5):
        one.look()
        sent.append(_messages())
    assert sent == [0, 3, 6, 7, 7]


def test_a_queue_that_is_down_keeps_nobody_from_being_rescued_and_is_filled_when_it_is_back(
    make_app, caplog, monkeypatch
):
    monkeypatch.setattr(circuit_breaker, "FIRST_WAIT", 0.0)  # it is asked again at once
    port = free_port()
    make_app(redis_url=f"redis://127.0.0.1:{port}/0")
    lost, due = _lost(), make_task(State.SCHEDULED, run_at=utcnow() - AGO)
    one = Sweeper()
    for _ in range(2):
        one.look()
    assert (lost.reload().state, due.reload().state) == (State.PENDING, State.PENDING)
    assert caplog.text.count("The queue does not answer:") == 1, "it says so once"
    with redis_server(port):
        for _ in range(3):
            one.look()
        assert _messages() == 2
        huey.storage.close()


def test_a_queue_that_hangs_costs_a_look_one_wait_however_much_is_to_be_done(make_app, redis_url):
    with Network(urlsplit(redis_url).port) as network:
        make_app(redis_url=f"redis://127.0.0.1:{network.port}/0")
        lost = [_lost(user=make_user()) for _ in range(10)]
        due = [make_task(State.SCHEDULED, lost[0].user, run_at=utcnow() - AGO) for _ in range(40)]
        network.stall()
        begun = time.monotonic()
        one, other = Sweeper(), Sweeper()
        one.look()
        took = time.monotonic() - begun
        other.look()
        assert Leader.get().token == one._token, "it has kept the lead"
    assert {task.reload().state for task in lost + due} == {State.PENDING}
    assert took < 3 * ANSWERS_WITHIN, "a wait for each would be a minute"


def test_a_sweeper_that_is_overtaken_while_it_looks_leaves_the_rest_to_the_other(app, monkeypatch):
    due = [make_task(State.SCHEDULED, make_user(), run_at=utcnow() - AGO) for _ in range(3)]
    monkeypatch.setattr(sweeper, "RENEW_EVERY", 0.0)
    wake = Task.wake

    def slowly(task: Task) -> bool:
        Leader.update(token="another", until=utcnow() + sweeper.LEADS_FOR).execute()
        return wake(task)

    monkeypatch.setattr(Task, "enqueue", slowly)
    Sweeper().look()
    assert sum(task.reload().state == State.PENDING for task in due) == 1


# What is old


def test_it_purges_what_is_old_some_of_it_in_each_look(app, monkeypatch):
    monkeypatch.setattr(sweeper, "PURGE_FOR", 0.0)
    user, old = make_user(), utcnow() - config.keep_tasks - AGO
    for _ in range(3):
        make_task(State.SUCCEEDED, user, finished_at=old)
    one = Sweeper()
    one.look()
    assert Task.select().count() == 3, "a look makes one step when it may not take longer"
    assert not Task.of(user).exists(), "but its owner sees none of it any more"
    looks = 0
    while Task.select().exists():
        one.look()
        looks += 1
        assert looks < 20
    assert looks > 1


def test_after_a_purge_it_rests(app):
    one = Sweeper()
    one.look()
    task = make_task(State.SUCCEEDED, finished_at=utcnow() - config.keep_tasks - AGO)
    one.look()
    assert Task.select().where(Task.id == task.id).exists()
    assert retention.purge() == 1


def test_whose_place_in_line_changed_is_told(app):
    task = make_task(State.PENDING)
    before = User.get_by_id(task.user_id).changes
    one = Sweeper()
    one.look()
    assert User.get_by_id(task.user_id).changes == before + 1
    one.look()
    assert User.get_by_id(task.user_id).changes == before + 1, "nothing moved since"


def test_an_artifact_expires_by_itself(app):
    artifact = make_artifact(expires_at=utcnow() - AGO)
    Sweeper().look()
    assert Artifact.get_by_id(artifact.id).expired_at


# Duties


@pytest.fixture
def own_duties(monkeypatch):
    """Only the duties that a test declares, forgotten after it."""
    monkeypatch.setattr(sweeper, "duties", own := [])
    known = list(sweep_hooks)
    yield lambda function: own.append(sweep_hook(function))
    sweep_hooks[:] = known


def test_the_leader_sees_to_each_duty_with_each_sweep(app, own_duties, monkeypatch):
    seen = []
    own_duties(seen.append)
    leader, other = Sweeper(), Sweeper()
    for one in (leader, other, leader):
        one.look()
    assert seen == [sweeper.AT_ONCE_OF_DUTY] * 2
    monkeypatch.setattr(config, "sweep", timedelta(hours=1))
    leader.look()
    leader.look()
    assert len(seen) == 3


def test_a_duty_that_fails_holds_up_neither_the_others_nor_the_sweeper(app, own_duties, caplog):
    def broken(_: int) -> None:
        raise ValueError("no")

    seen = []
    own_duties(broken)
    own_duties(seen.append)
    lost, old = _lost(), make_task(State.SUCCEEDED, finished_at=utcnow() - config.keep_tasks - timedelta(days=1))
    one = Sweeper()
    one.look()
    assert lost.reload().state == State.PENDING
    until(lambda: one.look() or Task.get_or_none(Task.id == old.id) is None)
    assert seen
    assert "The duty broken failed" in caplog.text


def test_mail_about_messages_is_such_a_duty(app):
    user = make_user(email="me@example.com", hearing={"message": "mail"})
    Message.update(mail_due_at=utcnow() - AGO).where(Message.id == make_message(recipient=user).id).execute()
    Sweeper().look()
    assert [(task.name, task.user, task.hidden) for task in Task] == [("mail_messages", user, True)]
    assert _messages() == 1
