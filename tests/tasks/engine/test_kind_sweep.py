"""The sweep of kinds: a pause ends by itself, workers hear of it, owners are told, what is over is forgotten."""

from datetime import timedelta

import pytest

from tasks.countdown import countdown
from tasks.engine import kind_sweep
from tasks.engine.kind_sweep import sweep_kinds
from tasks.engine.sweeper import Sweeper
from tasks.queue import huey
from tests.tasks.engine.sweeping import wakeups
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import KindControl, State, User

HOUR = timedelta(hours=1)


def _pause(**options) -> None:
    KindControl.pause("countdown", utcnow() + HOUR, **options)


def _end() -> None:
    KindControl.update(paused_until=utcnow() - HOUR).execute()


def _changes(*people: User) -> list[int]:
    return [User.get_by_id(person.id).changes for person in people]


def test_held_tasks_get_no_wake_up_again_until_their_pause_has_ended(app):
    user = make_user()
    for _ in range(5):
        countdown.launch(user, seconds=1)
    _pause()
    huey.storage.flush_queue()
    one = Sweeper()
    for _ in range(3):
        one.look()
    assert wakeups() == 0
    _end()
    one.look()
    assert wakeups() == 5
    assert KindControl.all() == []


def test_owners_of_tasks_that_wait_are_told_of_a_pause_and_of_its_end_and_others_are_not(each_database):
    ann, bob = make_user(), make_user()
    countdown.launch(ann, seconds=1)
    make_task(State.PENDING, bob, name="export", queue_key=7)
    for change in (_pause, _end):
        before = _changes(ann, bob)
        change()
        sweep_kinds()
        assert [now > then for now, then in zip(_changes(ann, bob), before, strict=True)] == [True, False]
        before = _changes(ann, bob)
        sweep_kinds()
        assert _changes(ann, bob) == before, "once"


def test_many_owners_are_told_one_look_after_the_other(each_database, monkeypatch):
    monkeypatch.setattr(kind_sweep, "TOLD_AT_ONCE", 2)
    monkeypatch.setattr(kind_sweep, "_owners", kind_sweep.compiled(kind_sweep._owners._build))
    people = [make_user() for _ in range(5)]
    for person in people:
        countdown.launch(person, seconds=1)
    _pause()
    before = _changes(*people)
    told = []
    for _ in range(4):
        sweep_kinds()
        told.append(sum(now > then for now, then in zip(_changes(*people), before, strict=True)))
    assert told == [2, 4, 5, 5]


def test_what_runs_goes_on_unless_it_is_to_stop_and_its_owner_reads_why(each_database):
    running = make_task(State.IN_PROGRESS, name="countdown", fencing_token="a")
    _pause()
    sweep_kinds()
    assert running.reload().state == State.IN_PROGRESS
    _pause(stop_running=True, reason="The disk is full")
    sweep_kinds()
    assert running.reload().state == State.PAUSING
    assert (
        list(running.timeline())[-1]
        .words("ann")
        .endswith("by an operator, stopping after the current step: The disk is full")
    )
    sweep_kinds()
    assert not KindControl.of("countdown").stops_running


@pytest.mark.parametrize("limit", [{"running": 1}, {"per_person": 1}, {"per_second": 5}])
def test_a_limit_stays_when_the_pause_ends(app, limit):
    KindControl.limit("countdown", **limit)
    _pause()
    _end()
    sweep_kinds()
    [control] = KindControl.all()
    assert control.is_limited
    assert control.paused_until is None
    KindControl.limit("countdown")
    sweep_kinds()
    assert KindControl.all() == []


def test_a_look_costs_one_small_query_more_while_nothing_is_decided(app, queries):
    with queries() as asked:
        assert not sweep_kinds()
    assert asked.count == 1
