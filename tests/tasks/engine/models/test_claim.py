"""The claim: while others wait, one person's tasks leave them a worker; and a worker takes whatever may run."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from peewee import OperationalError

from tasks.engine.models import claim, claim_statements, fair_share
from tasks.engine.models.fair_share import LOCKS, FairShare
from tasks.engine.models.line_start import FOR_SECONDS, LineStart
from tests.racing import race
from webapp.db import database
from webapp.dev.factories import make_task, make_user
from webapp.models import Composition, State, Task, User, Worker

LEASE = timedelta(seconds=15)
HOUR = timedelta(hours=1)


def _workers(*processes: int) -> None:
    for number in processes:
        Worker.heartbeat(uuid4().hex, "host", 1, number, HOUR)


def _start(user: User, number: int, **fields) -> None:
    for _ in range(number):
        Task.start(user, "countdown", user.username, {}, **fields)


def _crowd(user: User, number: int, first: int = 0) -> None:
    """Many tasks of one person, in line as if started one after the other."""
    rows = [
        {"user": user.id, "name": "countdown", "title": user.username, "queue_key": first + n} for n in range(number)
    ]
    for begin in range(0, number, 100):
        Task.insert_many(rows[begin : begin + 100]).execute()


def _take(number: int) -> list[str]:
    """Whose are taken, in order; without those that are not there."""
    return [task.title for task in (Task.claim(LEASE) for _ in range(number)) if task]


@pytest.mark.parametrize(("processes", "most"), [((1,), 1), ((2,), 1), ((3,), 2), ((1, 1, 2), 3), ((8,), 7)])
def test_one_persons_tasks_leave_a_process_to_others_who_wait(each_database, processes, most):
    _workers(*processes)
    ann, bob = make_user("ann"), make_user("bob")
    _crowd(ann, 50)
    assert _take(most) == ["ann"] * most
    _start(bob, 3)
    assert _take(1) == ["bob"], "it is bob's, though ann's may have come before"
    assert Task.select().where(Task.user == ann, Task.state == State.IN_PROGRESS).count() == most


def test_where_nobody_else_waits_one_person_may_use_them_all(each_database):
    _workers(3)
    _crowd(make_user("ann"), 50)
    assert _take(5) == ["ann"] * 5


def test_where_all_who_wait_have_as_many_as_they_may_a_worker_still_finds_something(each_database):
    _workers(2)
    _start(make_user("ann"), 3)
    _start(make_user("bob"), 3)
    assert sorted(_take(2)) == ["ann", "bob"]
    assert len(_take(4)) == 4, "the processes of some may be gone, and their tasks not yet rescued"


def test_a_group_runs_and_waits_as_one_person_would(each_database):
    _workers(3)
    guests = [make_user(f"guest-{number}", guest=True, network_group=-7) for number in range(5)]
    for guest in guests:
        _start(guest, 4)
    assert len(_take(2)) == 2
    _start(make_user("ann"), 2)
    other = make_user("other-guest", guest=True, network_group=-8)
    _start(other, 1)
    assert sorted(_take(3)) == ["ann", "ann", "other-guest"], "two is as many as a person may run while others wait"
    assert len(_take(20)) == 18, "and whoever is free then takes what there is"


def test_a_long_line_of_a_group_is_one_persons_to_who_comes_after(each_database):
    _workers(2)
    for number in range(fair_share.PEOPLE + 5):
        guest = make_user(f"guest-{number}", guest=True, network_group=-7)
        Task.insert(user=guest, name="x", title="guest", queue_key=number, queue_group=-7).execute()
    _take(1)
    _crowd(make_user("zoe"), 1, 10_000)
    assert _take(1) == ["zoe"]


def test_a_persons_last_task_that_ended_makes_room(each_database):
    _workers(2)
    _start(make_user("ann"), 5)
    running = Task.claim(LEASE)
    _start(make_user("bob"), 5)
    assert _take(1) == ["bob"]
    running.succeed()
    assert _take(1) == ["ann"]


def test_a_higher_priority_does_not_take_the_last_process(each_database):
    _workers(2)
    _start(make_user("ann"), 5, priority=10)
    _start(make_user("bob"), 1, priority=-10)
    assert _take(3) == ["ann", "bob", "ann"]


def test_quiet_tasks_and_parts_count_like_any(each_database):
    _workers(2)
    ann = make_user("ann")
    parent = make_task(
        State.IN_PROGRESS, ann, composition=Composition.GROUP, name="", fencing_token=None, lease_until=None
    )
    make_task(State.PENDING, ann, title="ann", queue_key=0, hidden=True)
    make_task(State.PENDING, ann, title="ann", queue_key=1, parent=parent, root=parent)
    make_task(State.PENDING, ann, title="ann", queue_key=2)
    make_task(State.PENDING, make_user("bob"), title="bob", queue_key=9, hidden=True)
    assert _take(4) == ["ann", "bob", "ann", "ann"]


def test_others_far_behind_in_the_line_are_found_and_in_their_order(each_database):
    _workers(2)
    ann = make_user("ann")
    _crowd(ann, 100)
    assert _take(1) == ["ann"]
    eve, bob = make_user("eve"), make_user("bob")
    _crowd(eve, 2, 500)
    _crowd(bob, 2, 400)
    running = Task.claim(LEASE)
    running.succeed()
    assert [running.title, *_take(2)] == ["bob", "bob", "eve"]


@pytest.mark.parametrize("known", [False, True], ids=["none has said that it lives", "it has been silent"])
def test_without_a_living_worker_that_is_known_the_line_alone_decides(each_database, known):
    if known:
        Worker.heartbeat("gone", "host", 1, 2, -LEASE)
    _start(make_user("ann"), 4, priority=1)
    _start(make_user("bob"), 1)
    assert _take(5) == ["ann"] * 4 + ["bob"]


@pytest.mark.parametrize("kind", ["shown", "quiet"])
def test_many_who_claim_at_once_leave_a_process_to_others(each_database, kind):
    _workers(6)
    ann, bob = make_user("ann"), make_user("bob")
    for n in range(30):
        make_task(State.PENDING, ann, title="ann", queue_key=n, hidden=kind == "quiet")
    for n in range(3):
        make_task(State.PENDING, bob, title="bob", queue_key=100 + n)
    taken = [task.title for task in race(6, lambda: Task.claim(LEASE))]
    assert sorted(taken) == ["ann"] * 5 + ["bob"]


@pytest.fixture
def postgres(make_app, emptied_postgres):
    make_app(database_url=emptied_postgres)
    return emptied_postgres


def test_claims_of_one_person_wait_for_each_other_only_while_others_wait(postgres, monkeypatch):
    monkeypatch.setattr(claim, "_share", FairShare())
    _workers(4)
    ann, bob = make_user("ann"), make_user("bob")
    _crowd(ann, 20)
    assert _take(1) == ["ann"]
    with psycopg.connect(postgres) as other:  # as a claim of ann's that has not been committed yet
        other.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", (LOCKS, ann.id))
        database.execute_sql("SET lock_timeout = 200")
        assert _take(1) == ["ann"]
        _start(bob, 1)
        with pytest.raises(OperationalError, match="lock timeout"):
            _take(2)
        assert Task.select().where(Task.user == ann, Task.state == State.IN_PROGRESS).count() == 2


@pytest.mark.parametrize("others", [False, True], ids=["alone", "others wait"])
def test_the_lock_of_a_person_is_taken_by_the_claim_itself(postgres, queries, others):
    """A statement less a task; and what is looked at under the lock is asked after it."""
    _workers(4)
    ann, bob = make_user("ann"), make_user("bob")
    _crowd(ann, 5)
    _crowd(bob, int(others), 100)
    assert _take(1) == ["ann"]  # and so it knows whether others wait
    with queries() as seen, database.transaction():
        held = database.execute_sql("SELECT mode FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        assert held == []
        task = Task.claim(LEASE)
        held = database.execute_sql("SELECT objid, mode FROM pg_locks WHERE locktype = 'advisory'").fetchall()
    assert (task.title, held) == ("ann", [(ann.id, "ExclusiveLock")])
    assert not any("SELECT pg_advisory" in query.msg[0] for query in seen.get_queries())
    assert _take(1) == ["ann"]
    assert database.execute_sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchone() is None


def test_who_has_seen_nobody_else_still_leaves_a_process_to_who_comes(postgres, monkeypatch):
    monkeypatch.setattr(claim, "_share", FairShare())
    _workers(3)
    ann, bob = make_user("ann"), make_user("bob")
    _crowd(ann, 20)
    assert _take(2) == ["ann", "ann"]
    _crowd(bob, 1, 500)
    assert _take(2) == ["bob", "ann"]


def test_what_joins_before_the_start_of_the_line_is_found_a_second_later_or_when_nothing_else_waits(
    postgres, monkeypatch
):
    now = [0.0]
    monkeypatch.setattr(claim_statements, "_line_start", LineStart(lambda: now[0]))
    ann, bob = make_user("ann"), make_user("bob")
    _crowd(ann, 4, 100)
    assert _take(1) == ["ann"]
    _crowd(bob, 1, 50)
    assert _take(1) == ["ann"], "it looks from where the line began a moment ago"
    now[0] += FOR_SECONDS
    assert _take(1) == ["bob"]
    _start(bob, 1, priority=1)
    assert _take(1) == ["bob"], "a higher priority is found at once"
    now[0] += FOR_SECONDS
    assert _take(1) == ["ann"]
    _crowd(bob, 1, 10)
    assert _take(3) == ["ann", "bob"], "and whatever there is where nothing else waits"


def test_whoever_is_idle_asks_one_question_once_nothing_waits(postgres, queries):
    assert Task.claim(LEASE) is None
    with queries() as asked:
        assert Task.claim(LEASE) is None
    assert asked.count == 1


def test_a_long_line_of_somebody_who_may_have_no_more_is_not_read(app):
    """Counted in the steps of SQLite's virtual machine, which are the same however busy this computer is."""
    _workers(2)
    ann = make_user("ann")
    _crowd(ann, 200)
    Task.claim(LEASE)
    few = _steps_of_a_claim()
    _crowd(ann, 20_000, 200)
    assert _steps_of_a_claim() < 1.5 * few


def _steps_of_a_claim() -> int:
    steps = []
    connection = database.connection()
    connection.set_progress_handler(lambda: steps.append(1) and None, 10)
    try:
        assert Task.claim(LEASE)
    finally:
        connection.set_progress_handler(None, 0)
    return len(steps)


# Who is alive


def test_a_worker_that_says_again_that_it_lives_is_the_same(each_database):
    Worker.heartbeat("one", "host", 7, 2, HOUR)
    first = Worker.get()
    Worker.heartbeat("one", "host", 7, 4, 2 * HOUR)
    now = Worker.get()
    assert (now.started_at, now.processes) == (first.started_at, 4)
    assert now.lives_until > first.lives_until
    Worker.leave("another")
    assert Worker.select().count() == 1
    Worker.leave("one")
    assert Worker.select().count() == 0


def test_a_worker_that_was_silent_for_long_is_forgotten_by_the_next_that_lives(each_database):
    Worker.heartbeat("gone", "host", 1, 2, -2 * HOUR)
    Worker.heartbeat("late", "host", 1, 2, -LEASE)
    Worker.heartbeat("here", "host", 2, 2, HOUR)
    assert {worker.token for worker in Worker.select()} == {"late", "here"}
