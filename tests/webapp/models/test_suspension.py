"""Suspension: what is held and hidden, a little at a time, and what goes on afterwards."""

from datetime import timedelta
from itertools import permutations

import pytest

from tests.racing import race
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_posts, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import HeldTask, Post, Session, State, Suspension, Task, TaskEvent, User
from webapp.models.last_admin import CannotLose
from webapp.models.permissions import Action, Role, may
from webapp.models.role_changes import change_role
from webapp.models.schedule import upcoming
from webapp.models.suspension_work import carry_out, carry_out_some

LATER = utcnow().replace(microsecond=0) + timedelta(days=3)


def states(*tasks: Task) -> list[State]:
    return [Task.get_by_id(task.id).state for task in tasks]


def suspend(user: User, reason: str = "Sends spam.") -> Suspension:
    suspension = Suspension.begin(user, reason)
    assert suspension
    return suspension


def long_ago(user: User) -> None:
    """No request is under way any more that began before."""
    Suspension.update(suspended_at=utcnow() - timedelta(hours=1)).where(Suspension.user == user.id).execute()


def test_what_waits_is_held_and_what_has_ended_is_left_alone(each_database):
    ann, bob = make_user(), make_user()
    pending, paused = make_task(State.PENDING, ann), make_task(State.PAUSED, ann)
    ended, others = make_task(State.FAILED, ann), make_task(State.PENDING, bob)
    scheduled = make_task(State.SCHEDULED, ann, run_at=LATER)
    suspension = suspend(ann)
    carry_out(suspension)
    assert states(pending, paused, scheduled, ended, others) == ["paused", "paused", "scheduled", "failed", "pending"]
    assert Task.get_by_id(scheduled.id).run_at is None
    assert upcoming(5)[0] == []
    last = TaskEvent.select().where(TaskEvent.task == pending.id).order_by(TaskEvent.id.desc()).first()
    assert last.text == "Paused by an operator: Sends spam."
    lifted = Suspension.lift(ann)
    assert carry_out(lifted)
    assert states(pending, paused, scheduled, ended) == ["pending", "paused", "scheduled", "failed"]
    assert Task.get_by_id(scheduled.id).run_at == LATER
    assert not Suspension.select().exists()
    assert not HeldTask.select().exists()


def test_work_that_is_cut_off_at_any_place_goes_on_there(each_database):
    ann = make_user()
    tasks = [make_task(State.PENDING, ann) for _ in range(5)]
    make_posts(ann, 5)
    suspend(ann)
    long_ago(ann)
    for _ in range(10):
        carry_out_some(2)
    assert set(states(*tasks)) == {"paused"}
    assert Post.select().where(Post.hidden).count() == 5
    assert Suspension.get().settled_at
    Suspension.lift(ann)
    for _ in range(10):
        carry_out_some(2)
    assert set(states(*tasks)) == {"pending"}
    assert Post.select().where(Post.hidden).count() == 0
    assert not Suspension.select().exists()


def test_what_becomes_pending_later_is_held_then(each_database):
    ann = make_user()
    retrying = make_task(State.RETRYING, ann)
    suspension = suspend(ann)
    long_ago(ann)
    assert not carry_out(Suspension.get_by_id(suspension.id)), "it is looked at again"
    Task.update(run_at=utcnow() - timedelta(seconds=1)).where(Task.id == retrying.id).execute()
    assert Task.get_by_id(retrying.id).enqueue()
    carry_out_some(100)
    assert states(retrying) == ["paused"]
    assert Suspension.get().settled_at


def test_a_task_that_still_pauses_as_the_suspension_is_lifted_goes_on_once_it_has(each_database):
    ann = make_user()
    running = make_task(State.IN_PROGRESS, ann)
    carry_out(suspend(ann))
    assert states(running) == ["pausing"]
    assert not carry_out(Suspension.lift(ann))
    Task.update(state=State.PAUSED).where(Task.id == running.id).execute()
    carry_out_some(100)
    assert states(running) == ["pending"]
    assert not Suspension.select().exists()


def test_to_suspend_lift_and_suspend_again_at_once_loses_nothing(each_database):
    ann = make_user()
    scheduled = make_task(State.SCHEDULED, ann, run_at=LATER)
    carry_out(suspend(ann))
    Suspension.lift(ann)
    carry_out(suspend(ann, "Again."))
    assert Task.get_by_id(scheduled.id).run_at is None
    assert upcoming(5)[0] == []
    carry_out(Suspension.lift(ann))
    assert Task.get_by_id(scheduled.id).run_at == LATER


def test_with_nothing_to_do_the_hook_asks_once(app, queries):
    ann = make_user()
    suspend(ann)
    long_ago(ann)
    carry_out_some(100)
    with queries() as seen:
        carry_out_some(100)
    assert len(seen.get_queries()) == 1


def test_holding_a_person_twice_is_once(each_database):
    ann = make_user()
    found = race(2, lambda: Suspension.begin(User.get_by_id(ann.id), "Spam."))
    assert sorted(map(bool, found)) == [False, True]


@pytest.mark.parametrize("act", ["suspend", "demote"])
def test_of_two_admins_who_do_it_to_each_other_at_once_one_is_left(each_database, act):
    for one, other in permutations([make_staff(Role.ADMIN), make_staff(Role.ADMIN)], 2):
        User.update(role=Role.ADMIN, suspended_at=None).execute()
        Suspension.delete().execute()
        targets = [one.id, other.id]

        def hit(targets=targets):
            user = User.get_by_id(targets.pop())
            return Suspension.begin(user, "x") if act == "suspend" else change_role(user, None, keeps_an_admin=True)

        assert sum(isinstance(each, CannotLose) for each in race(2, hit)) == 1
        assert sum(may(each, Action.MANAGE_PEOPLE) for each in User.select()) == 1


def test_sessions_end_and_those_of_a_guest_work_again_afterwards(each_database):
    ann, guest = make_user(), make_user(guest=True)
    for user in (ann, guest):
        Session.begin(user, f"key-{user.id}")
        changes = User.get_by_id(user.id).changes
        suspend(user)
        assert User.by_session_key(f"key-{user.id}") is None
        assert User.get_by_id(user.id).changes > changes, "open pages look, and find that they are signed out"
        Suspension.lift(user)
    assert User.by_session_key(f"key-{ann.id}") is None
    assert User.by_session_key(f"key-{guest.id}").id == guest.id


def test_a_role_of_a_suspended_account_allows_nothing(app):
    admin = make_staff(Role.ADMIN)
    make_staff(Role.ADMIN)
    suspend(admin)
    assert not may(User.get_by_id(admin.id), Action.VIEW_DESK)
