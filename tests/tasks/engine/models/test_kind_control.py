"""Kind controls: tasks of a kind that is paused or at a limit wait, none of them is read, and others pass them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tasks.engine.models import fair_queue, making_way, open_kinds, open_line
from tasks.engine.models.kind_control import LONGEST_PAUSE
from tests.racing import race
from webapp.db import database, is_postgres
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Composition, KindControl, State, Task, User, Worker

LEASE = timedelta(seconds=60)
HOUR = timedelta(hours=1)


def _pause(name: str, **options) -> None:
    KindControl.pause(name, utcnow() + HOUR, **options)


def _start(user: User, name: str, number: int = 1, **fields) -> list[Task]:
    return [Task.start(user, name, name, {}, **fields) for _ in range(number)]


def _take(number: int) -> list[str]:
    """The kinds that are taken, in order; without those that are not there."""
    return [task.name for task in (Task.claim(LEASE) for _ in range(number)) if task]


def test_a_paused_kind_waits_and_others_pass_it(each_database):
    ann, bob = make_user(), make_user()
    _start(ann, "countdown", 30, priority=5)
    _start(bob, "of another release", 2)
    _pause("countdown")
    assert _take(4) == ["of another release"] * 2
    KindControl.resume("countdown")
    assert len(_take(40)) == 30


def test_a_pause_that_has_ended_holds_nothing_before_anybody_has_noticed(each_database):
    _start(make_user(), "countdown")
    _pause("countdown")
    assert _take(1) == []
    KindControl.update(paused_until=utcnow() - LEASE).execute()
    assert _take(1) == ["countdown"]


def test_tasks_of_a_paused_kind_can_be_started_and_canceled(each_database):
    _pause("countdown")
    [task] = _start(make_user(), "countdown")
    task.cancel()
    assert task.reload().state == State.CANCELED


def test_as_many_of_a_kind_run_as_may_in_all(each_database):
    KindControl.limit("countdown", running=2)
    ann = make_user()
    _start(ann, "countdown", 5)
    _start(ann, "export", 1)
    assert sorted(_take(5)) == ["countdown", "countdown", "export"]
    Task.get(Task.name == "countdown", Task.state == State.IN_PROGRESS).succeed()
    assert _take(5) == ["countdown"]


def test_as_many_of_a_kind_run_as_may_of_one_person_and_of_one_group(each_database):
    KindControl.limit("countdown", per_person=1)
    guests = [make_user(guest=True, network_group=-7) for _ in range(2)]
    for user in (make_user("ann"), make_user("bob"), *guests):
        _start(user, "countdown", 25)
    assert len(_take(10)) == 3
    assert len({task.party for task in Task.select().where(Task.state == State.IN_PROGRESS)}) == 3


def test_who_waits_behind_many_of_a_person_at_their_limit_is_found(each_database):
    KindControl.limit("countdown", per_person=1)
    _start(make_user("ann"), "countdown", 60, priority=1)
    _start(make_user("bob"), "countdown", 1)
    assert len(_take(5)) == 2


def test_starts_are_spaced(each_database):
    KindControl.limit("countdown", per_second=2)
    _start(make_user(), "countdown", 5)
    assert _take(3) == ["countdown"]
    assert 0 < Task.seconds_to_start() <= 0.5
    KindControl.update(next_start=KindControl.next_start - 0.5).execute()
    assert _take(3) == ["countdown"]
    KindControl.update(next_start=KindControl.next_start + 3600).execute()
    assert _take(1) == ["countdown"], "the clock was set back by an hour"


@pytest.mark.parametrize("limit", [{"running": 2}, {"per_person": 2}])
def test_many_who_claim_at_once_exceed_no_limit(each_database, limit):
    KindControl.limit("countdown", **limit)
    _start(make_user(), "countdown", 20)
    for _ in range(3):
        taken = [task for task in race(8, lambda: Task.claim(LEASE)) if task]
        running = Task.select().where(Task.state == State.IN_PROGRESS).count()
        assert running <= 2, taken
    assert _take(2) == [] or Task.select().where(Task.state == State.IN_PROGRESS).count() == 2


def test_many_who_claim_at_once_start_no_more_than_one_a_moment(each_database):
    KindControl.limit("countdown", per_second=0.01)
    _start(make_user(), "countdown", 20)
    assert len([task for task in race(8, lambda: Task.claim(LEASE)) if task]) == 1


def test_people_take_turns_in_what_is_not_held(each_database):
    Worker.heartbeat(uuid4().hex, "host", 1, 2, HOUR)
    ann, bob = make_user("ann"), make_user("bob")
    _start(ann, "export", 5)
    _pause("countdown")
    _start(ann, "countdown", 5)
    assert _take(1) == ["export"]
    _start(bob, "import", 2)
    assert _take(1) == ["import"], "ann runs as many as she may while others wait"


def test_a_workflow_and_its_children_are_held_as_any(each_database):
    ann = make_user()
    parent = make_task(State.IN_PROGRESS, ann, composition=Composition.GROUP, name="", fencing_token=None)
    make_task(State.PENDING, ann, name="countdown", queue_key=0, parent=parent, root=parent)
    _pause("countdown")
    assert _take(2) == []
    KindControl.resume("countdown")
    assert _take(2) == ["countdown"]


def test_positions_and_wake_ups_count_what_may_be_taken(each_database):
    ann = make_user()
    held, free = _start(ann, "countdown", 30), _start(ann, "export", 3)
    _pause("countdown", reason="The disk is full")
    places = fair_queue.positions([*held, *free])
    assert [places[task.id].ahead for task in free] == [0, 1, 2]
    assert places[held[0].id].hold.reason == "The disk is full"
    assert fair_queue.claimable_count() == 3
    KindControl.limit("export", running=2)
    assert fair_queue.claimable_count() == 2
    _take(2)
    assert fair_queue.claimable_count() == 0
    assert fair_queue.positions(free)[free[2].id].hold == open_line.Hold()
    assert not Task.is_any_claimable()


def test_who_joins_the_line_does_so_behind_what_may_be_taken_and_not_behind_what_is_held(each_database):
    ann, bob = make_user(), make_user()
    _start(ann, "countdown", 9)
    _start(ann, "export", 1)
    _pause("countdown")
    [task] = _start(bob, "export")
    assert task.queue_key == 9


def test_nobody_makes_way_for_what_is_held(each_database):
    _start(make_user(), "export")
    running = Task.claim(LEASE)
    _start(make_user(), "countdown")
    assert making_way.runs_before(running) == 0
    _pause("countdown")
    assert making_way.runs_before(running) is None


def test_a_claim_costs_no_query_more_while_nothing_is_decided_and_two_while_a_kind_is_paused(each_database, queries):
    _start(make_user(), "export", 9)
    _take(2)
    with queries() as before:
        _take(1)
    _start(make_user(), "countdown", 9)
    _pause("countdown")
    _take(1)
    with queries() as held:
        _take(1)
    assert held.count <= before.count + 1


@pytest.mark.parametrize("wrong", [{"running": 0}, {"per_person": -1}, {"per_second": 0}, {"per_second": 1e9}])
def test_what_no_limit_can_be_is_refused(app, wrong):
    with pytest.raises(ValueError, match="from"):
        KindControl.limit("countdown", **wrong)


def test_a_pause_ends_in_time(app):
    for until in (utcnow() - HOUR, utcnow() + LONGEST_PAUSE + HOUR):
        with pytest.raises(ValueError, match="ends within 30 days"):
            KindControl.pause("countdown", until)


def test_none_of_the_held_tasks_is_read(each_database):
    """The plan may step from kind to kind, and must not pass over the tasks of one."""
    ann = make_user()
    _start(ann, "countdown", 3)
    _start(ann, "export", 3)
    _pause("countdown")
    sql, values = open_kinds._find_any.sql(now=utcnow())
    explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
    if is_postgres():
        database.execute_sql("SET enable_seqscan = off")  # of six rows, none would need an index
    plan = "\n".join(str(row) for row in database.execute_sql(explain + sql, values).fetchall())
    if is_postgres():
        database.execute_sql("SET enable_seqscan = on")
    if is_postgres():  # which for six rows may take any of the line's indexes
        assert any(index in plan for index in ("tasks_in_line", "tasks_who_wait", "tasks_in_turn"))
    else:
        assert "tasks_in_line" in plan
        assert "tasks_who_wait" in plan
    assert "AUTOMATIC" not in plan
    assert "Seq Scan on tasks" not in plan
    assert "SCAN found" not in plan


@pytest.mark.parametrize("group", [None, 7_000_000], ids=["a person", "guests of a network"])
def test_what_its_persons_limit_holds_counts_in_nobody_elses_position(each_database, queries, group):
    """Of who runs as many of the kind as one may, those that wait stand nowhere; what else they have waiting does."""
    ann, bob = make_user(), make_user()
    hers = [make_task(State.PENDING, ann, name="countdown", queue_key=n, queue_group=group) for n in range(5)]
    for n in range(2):
        make_task(State.PENDING, ann, name="export", queue_key=n, queue_group=group)
    his = make_task(State.PENDING, bob, name="countdown", queue_key=20)
    KindControl.limit("countdown", per_person=1)
    assert fair_queue.positions([his])[his.id].ahead == 7
    make_task(State.IN_PROGRESS, ann, name="countdown", queue_group=group, fencing_token="t")
    with queries() as asked:
        found = fair_queue.positions([his, hers[4]])
    assert (found[his.id].hold, found[his.id].ahead) == (None, 2)
    assert found[hers[4].id].hold == open_line.Hold()
    assert asked.count <= 5
    _pause("countdown")
    assert fair_queue.positions([make_task(State.PENDING, bob, name="export", queue_key=30)]).popitem()[1].ahead == 2
