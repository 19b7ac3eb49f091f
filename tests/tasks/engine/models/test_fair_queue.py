"""The line: who starts many tasks keeps nobody waiting, and everybody can see where they stand."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tasks.engine.models import fair_queue, waiting_users
from tasks.engine.models.fair_queue import LEVEL
from tasks.engine.models.line_start import FOR_SECONDS, LineStart
from tasks.engine.models.waiting_users import notify_waiting_users
from tests.racing import race
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Composition, State, Task, User

LEASE = timedelta(seconds=15)


def _start(user: User, number: int = 1, **fields) -> list[Task]:
    return [Task.start(user, "countdown", f"{user.username} {n}", {}, **fields) for n in range(number)]


def _take(number: int = 1) -> list[str]:
    """Who is taken next, by the first words of the titles."""
    taken = [Task.claim(LEASE) for _ in range(number)]
    return [task.title.split()[0] for task in taken if task]


def _crowd(user: User, number: int) -> None:
    """Many tasks of one person, in line as if started one after the other."""
    rows = [
        {"user": user.id, "name": "countdown", "title": f"{user.username} {n}", "queue_key": n} for n in range(number)
    ]
    for begin in range(0, number, 100):
        Task.insert_many(rows[begin : begin + 100]).execute()


def test_a_persons_tasks_are_taken_in_the_order_in_which_they_were_started(app):
    ann = make_user("ann")
    started = _start(ann, 5)
    assert [Task.claim(LEASE) for _ in range(6)] == [*started, None]


def test_one_task_is_not_kept_waiting_by_somebodys_thousand(each_database):
    ann, bob = make_user("ann"), make_user("bob")
    _crowd(ann, 1000)
    assert _take(10) == ["ann"] * 10
    _start(bob)
    assert "bob" in _take(2)


def test_three_people_take_turns(app):
    names = ["ann", "bob", "eve"]
    for name in names:
        _start(make_user(name), 10)
    taken = _take(30)
    assert all(sorted(taken[n : n + 3]) == names for n in range(0, 30, 3))


def test_who_comes_later_gets_their_share_and_no_more(app):
    _start(make_user("ann"), 20)
    _take(5)
    _start(make_user("bob"), 10)
    taken = _take(20)
    assert abs(taken.count("ann") - taken.count("bob")) <= 1


def test_idle_owner_saves_up_no_share(app):
    ann, bob = make_user("ann"), make_user("bob")
    _start(bob)
    _take()
    _start(ann, 40)
    _take(20)
    _start(bob, 10)
    taken = _take(10)
    assert all(one != other for one, other in pairwise(taken)), "they take turns; bob is not owed the time before"


def test_who_joins_looks_for_the_head_from_where_it_was_a_moment_ago_and_from_the_beginning_where_none_is_there(
    make_app, emptied_postgres, monkeypatch, queries
):
    make_app(database_url=emptied_postgres)
    now = [0.0]
    monkeypatch.setattr(fair_queue, "_heads", {0: LineStart(lambda: now[0]), 1: LineStart(lambda: now[0])})
    ann, bob = make_user("ann"), make_user("bob")
    _crowd(ann, 10)
    Task.update(queue_key=Task.queue_key + 100).execute()
    assert fair_queue.next_queue_key(bob.id, 0) == 100
    make_task(State.PENDING, ann, queue_key=50)
    assert fair_queue.next_queue_key(bob.id, 0) == 100, "what came before that meanwhile is not looked for"
    assert fair_queue.next_queue_key(ann.id, 0) == 110, "but all of one's own count"
    assert fair_queue.next_queue_key(bob.id, 1) == -LEVEL
    now[0] += FOR_SECONDS
    with queries() as seen:
        assert fair_queue.next_queue_key(bob.id, 0) == 50
    assert seen.count == 1
    Task.delete().execute()
    assert fair_queue.next_queue_key(bob.id, 0) == 0
    make_task(State.PENDING, ann, queue_key=20)
    with queries() as seen:
        assert fair_queue.next_queue_key(bob.id, 0) == 20, "nothing waits from there on, so it is from the beginning"
    assert seen.count == 1


def test_the_higher_priority_goes_first_and_is_fair_among_its_own(app):
    _start(make_user("low"), 3, priority=-10)
    _start(make_user("middle"), 3)
    _start(make_user("high"), 2, priority=10)
    _start(make_user("other"), 2, priority=10)
    assert _take(10) == ["high", "other"] * 2 + ["middle"] * 3 + ["low"] * 3


@pytest.mark.parametrize("priority", [-11, 11])
def test_a_priority_that_there_is_not_is_refused(app, priority):
    with pytest.raises(ValueError, match="-10 to 10"):
        _start(make_user(), priority=priority)
    assert not Task.select().exists()


@pytest.mark.parametrize("comes_back", ["hand_back", "rescue", "retry", "resume"])
def test_a_task_that_comes_back_stands_where_its_owners_share_is(app, comes_back):
    ann, bob = make_user("ann"), make_user("bob")
    _start(ann)
    _start(bob, 20)
    task = Task.claim(LEASE)
    _take(5)
    if comes_back == "hand_back":
        task.hand_back()
    elif comes_back == "rescue":
        Task.update(lease_until=utcnow() - LEASE).where(Task.id == task.id).execute()
        assert [lost.rescue() for lost in Task.lost(9)] == [True]
    elif comes_back == "retry":
        task.fail("It broke.")
        Task.get_by_id(task.id).retry()
    else:
        Task.get_by_id(task.id).pause()
        task.acknowledge_stop()
        Task.get_by_id(task.id).resume()
    assert "ann" in _take(2)


def test_only_what_waits_is_in_line(app):
    user = make_user()
    for state in State:
        make_task(state, user)
    make_task(State.PENDING, user, composition=Composition.GROUP, name="", queue_key=None)
    assert fair_queue.waiting_count() == 1
    assert Task.claim(LEASE)
    assert Task.claim(LEASE) is None
    assert fair_queue.waiting_count() == 0


def test_everybody_can_see_how_many_are_before_them(app):
    ann, bob = make_user("ann"), make_user("bob")
    anns, bobs = _start(ann, 3), _start(bob, 2)
    running = Task.claim(LEASE)
    places = fair_queue.positions([*anns, *bobs])
    assert running.id not in fair_queue.positions([running])
    ahead = {task.title: places[task.id].ahead for task in (*anns[1:], *bobs)}
    assert ahead["bob 0"] == 0
    assert ahead["ann 1"] <= ahead["bob 1"] <= ahead["ann 2"]
    assert {place.wait for place in places.values()} == {None}, "nobody can say yet how long"


def test_the_wait_is_judged_by_what_ran_lately_and_by_how_many_run_at_once(app):
    user = make_user()
    for seconds in (10.0, 30.0):
        make_task(State.SUCCEEDED, user, run_seconds=seconds)
    make_task(State.SUCCEEDED, user, run_seconds=1000.0, finished_at=utcnow() - timedelta(hours=2))
    make_task(State.IN_PROGRESS, user)
    make_task(State.IN_PROGRESS, user)
    first, second = _start(make_user(), 2)
    places = fair_queue.positions([first, second])
    assert places[first.id] == fair_queue.QueuePosition(0, 10.0), "20 seconds each, by two workers"
    assert places[second.id] == fair_queue.QueuePosition(1, 20.0)


def test_queue_positions_cost_at_most_one_query(each_database, queries, monkeypatch):
    _crowd(make_user("crowd"), 50)
    waiting, running = _start(make_user(), 9), make_task(State.IN_PROGRESS)
    _start(make_user(), 3, priority=5)
    waiting += _start(make_user(), 2, priority=-10)
    with queries() as seen:
        places = fair_queue.positions([*waiting, running])
    assert seen.count == 1
    turns = [turn for (turn,) in Task.select(Task.queue_key).where(Task.state == State.PENDING).tuples()]
    assert {task: places[task.id].ahead for task in waiting} == {
        task: sum(turn < task.queue_key for turn in turns) for task in waiting
    }
    monkeypatch.setattr(fair_queue, "MOST_POSITIONS", 4)
    assert fair_queue.positions([*waiting, running]) == places
    with queries() as seen:
        assert fair_queue.positions([running]) == {}
    assert seen.count == 0


@pytest.mark.parametrize("moved", [True, False])
def test_waiting_owner_is_notified_when_the_queue_position_changes(app, moved):
    waiting, soon, later, running = people = [make_user() for _ in range(4)]
    make_task(State.PENDING, waiting)
    make_task(State.RETRYING, soon, run_at=utcnow() + timedelta(seconds=5))
    make_task(State.RETRYING, later, run_at=utcnow() + timedelta(hours=1))
    make_task(State.IN_PROGRESS, running)
    before = [User.get_by_id(user.id).changes for user in people]
    notify_waiting_users(timedelta(seconds=90), moved)
    after = [User.get_by_id(user.id).changes for user in people]
    assert [new - old for new, old in zip(after, before, strict=True)] == [int(moved), 1, 0, 0]


def test_however_many_wait_a_bounded_number_is_told_and_all_take_turns(each_database, queries, monkeypatch):
    monkeypatch.setattr(waiting_users, "FRONT", 3)
    monkeypatch.setattr(waiting_users, "IN_TURN", 4)
    people = [make_user() for _ in range(12)]
    for n, user in enumerate(people):
        for extra in range(3):
            make_task(State.PENDING, user, queue_key=len(people) - n + 100 * extra)
    hidden = make_user()
    make_task(State.PENDING, hidden, queue_key=999, hidden=True)
    make_task(State.RETRYING, people[0], run_at=utcnow())
    after, told = 0, []
    for _ in range(4):
        before = [user.changes for user in User.select().order_by(User.id)]
        with queries() as seen:
            after = notify_waiting_users(timedelta(seconds=90), moved=True, after=after)
        assert seen.count <= 3 + 3 + 4 + 1
        now = [user.changes for user in User.select().order_by(User.id)]
        told.append([number for number, (old, new) in enumerate(zip(before, now, strict=True)) if old != new])
    front = [9, 10, 11]
    assert told == [[0, 1, 2, 3, *front], [0, 4, 5, 6, 7, *front], [0, 8, *front], [0, *front]]
    assert after == 0, "and then from the first again"


def test_a_line_that_moved_is_marked_otherwise(app):
    marks = [fair_queue.snapshot()]
    for act in (lambda: _start(make_user("ann"), 2), lambda: _start(make_user("bob")), lambda: _take()):
        act()
        marks.append(fair_queue.snapshot())
    assert all(one != other for one, other in pairwise(marks))
    assert fair_queue.snapshot() == marks[-1]


def test_many_workers_take_each_task_once(each_database):
    for name in ("ann", "bob", "eve"):
        _start(make_user(name), 8)

    def take_all() -> list[Task]:
        taken = []
        while task := Task.claim(LEASE):
            taken.append(task)
        return taken

    taken = [task for tasks in race(6, take_all) for task in tasks]
    assert len(taken) == len({task.id for task in taken}) == 24
    assert len({task.fencing_token for task in taken}) == 24
    assert {task.state for task in Task.select()} == {State.IN_PROGRESS}
    assert {task.attempts for task in Task.select()} == {1}


def test_many_who_start_at_once_are_all_in_line(each_database):
    users = [make_user() for _ in range(6)]
    assert all(isinstance(started, list) for started in race(6, lambda: _start(users.pop(), 3)))
    assert fair_queue.waiting_count() == 18
    assert len([task for task in iter(lambda: Task.claim(LEASE), None)]) == 18
