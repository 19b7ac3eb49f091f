"""`moves` and `ready_at`: what counts as a move of a task, and since when it has been ready for a worker."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.webapp.models.everything import row
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Composition, IllegalTransition, State, Task

LEASE = timedelta(seconds=15)
LATER = timedelta(hours=1)

LIFE = [
    ("reschedule", State.SCHEDULED),
    ("enqueue", State.PENDING),
    ("claim", State.IN_PROGRESS),
    ("hand_back", State.PENDING),
    ("claim", State.IN_PROGRESS),
    ("retry_later", State.RETRYING),
    ("enqueue", State.PENDING),
    ("claim", State.IN_PROGRESS),
    ("rescue", State.PENDING),
    ("claim", State.IN_PROGRESS),
    ("fail", State.FAILED),
    ("retry", State.PENDING),
    ("pause", State.PAUSED),
    ("resume", State.PENDING),
    ("claim", State.IN_PROGRESS),
    ("pause", State.PAUSING),
    ("acknowledge_stop", State.PAUSED),
    ("cancel", State.CANCELED),
    ("retry", State.PENDING),
    ("claim", State.IN_PROGRESS),
    ("succeed", State.SUCCEEDED),
]
ARGUMENTS = {
    "reschedule": (utcnow() + 2 * LATER, "Count down later"),
    "retry_later": (0, "It broke."),
    "fail": ("It broke.",),
}


def _start(**fields) -> Task:
    return Task.start(fields.pop("user", None) or make_user(), "countdown", "Count down", {}, **fields)


def test_a_new_task_is_ready_when_it_is_pending(app):
    parent = _start(composition=Composition.GROUP)
    assert row(parent).ready_at
    assert row(_start()).ready_at
    assert row(_start(run_at=utcnow() + LATER)).ready_at is None
    assert row(_start(user=parent.user, parent=parent)).ready_at is None


def test_each_move_of_a_long_life_counts_once_and_says_when_it_became_ready(each_database):
    task = _start(run_at=utcnow() + LATER, retries=3)
    assert (task.moves, row(task).moves) == (0, 0)
    for verb, state in LIFE:
        if verb == "enqueue":
            Task.update(run_at=utcnow()).where(Task.id == task.id).execute()
        before, moved = row(task), row(task)
        if verb == "claim":
            moved = Task.claim(LEASE)
        else:
            getattr(moved, verb)(*ARGUMENTS.get(verb, ()))
        after = row(task)
        assert (after.state, after.moves) == (state, before.moves + 1), verb
        assert (after.ready_at != before.ready_at) == (state == State.PENDING), verb
        assert moved.moves == (before if verb in ("succeed", "fail") else after).moves, verb
    assert after.started_at > after.ready_at, "their difference is how long it waited"


def test_progress_of_a_run_is_no_move(app):
    _start()
    run = Task.claim(LEASE)
    ready_at = run.ready_at
    assert run.advance(1, 2, "Counting")
    assert run.checkpoint({"done": 2}, 2, 2, "", LEASE)
    assert run.renew(LEASE)
    run.log("Counted")
    assert (row(run).moves, row(run).ready_at) == (1, ready_at)


def test_what_else_its_readers_see_change_counts_as_well_and_once(app):
    task = make_task(State.IN_PROGRESS)
    task.rename("Count down from 9")
    assert (task.moves, row(task).moves, row(task).title) == (1, 1, "Count down from 9")
    task.succeed()
    task = row(task)
    undo = uuid4()
    for act in (task.dismiss, lambda: task.begin_undo(undo), lambda: task.end_undo(undo, "all of it")):
        before = row(task).moves
        act()
        assert task.moves == row(task).moves == before + 1
    task.dismiss()
    assert row(task).moves == task.moves, "twice is once"


def test_that_a_run_may_be_tried_more_often_counts(app):
    _start(retries=1)
    run = Task.claim(LEASE)
    for number, moves in ((1, 1), (3, 2)):
        run.take_retries(number)
        assert (run.moves, row(run).moves, row(run).retries) == (moves, moves, number)


def test_that_a_part_has_failed_counts_for_its_workflow_which_goes_on(app):
    parent = _start(composition=Composition.GROUP)
    for _ in range(2):
        _start(user=parent.user, parent=parent)
    parent.begin()
    run = Task.claim(LEASE)
    before = row(parent)
    run.fail("It broke.")
    after = row(parent)
    assert (after.state, after.moves) == (State.IN_PROGRESS, before.moves + 1)
    assert "It broke." in after.error


def test_what_comes_too_late_counts_nothing(app):
    task = make_task(State.SUCCEEDED)
    stale = row(task)
    with pytest.raises(IllegalTransition):
        stale.reschedule(utcnow() + LATER, "Mine")
    stale.rename("Mine")
    assert (row(task).moves, stale.title, stale.moves) == (0, task.title, 0)


def test_a_child_becomes_ready_when_its_step_comes(app):
    parent = _start(composition=Composition.CHAIN)
    first, second = (_start(user=parent.user, parent=parent, step=step) for step in range(2))
    parent.begin()
    assert (row(first).moves, row(second).moves) == (1, 0)
    assert row(first).ready_at
    assert row(second).ready_at is None
    Task.claim(LEASE).succeed()
    assert (row(first).moves, row(second).moves) == (3, 1)
    assert row(second).ready_at > row(first).ready_at
    assert row(parent).moves == 1, "it has begun; that its parts get on is progress"
