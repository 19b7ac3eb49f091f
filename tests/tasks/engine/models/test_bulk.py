"""One press for many tasks: each goes its own way, whoever else is at it."""

import threading
from collections import Counter

import pytest

from tasks.engine.models import bulk
from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.bulk import BulkResult, press
from tasks.engine.models.state import FINISHED
from tests.racing import elsewhere, race
from tests.webapp.models.everything import row
from webapp.db import database
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.models import Composition, Notification, State, Task, User
from webapp.web.presenters.bulk_result import bulk_result_message

ABLE = {
    "retry": {State.FAILED, State.CANCELED, State.RETRYING},
    "pause": {State.PENDING, State.IN_PROGRESS},
    "resume": {State.PAUSED},
    "cancel": frozenset(OWNER_ACTIONS["cancel"].moves),
    "dismiss": FINISHED,
    "remove": FINISHED,
}
FROM = {"retry": State.FAILED, "pause": State.PENDING, "resume": State.PAUSED, "cancel": State.PENDING}


def _states(user: User) -> Counter:
    return Counter(task.state for task in Task.select().where(Task.user == user))


@pytest.mark.parametrize("verb", OWNER_ACTIONS)
def test_a_press_does_what_it_can_and_counts_the_rest_by_state(each_database, verb):
    user = make_user()
    for state in State:
        make_task(state, user)
    outcome = press(verb, Task.of(user))
    assert outcome.done == len(ABLE[verb])
    assert outcome.passed == Counter(set(State) - ABLE[verb])
    assert (outcome.left, outcome.total) == (0, len(State))


def test_three_hundred_are_canceled_dismissed_and_deleted(each_database):
    user = make_user()
    for number in range(300):
        make_task(State.PENDING, user, queue_key=number)
    before = User.get_by_id(user.id).changes
    for verb in ("pause", "resume", "cancel", "dismiss", "remove"):
        outcome = press(verb, Task.of(user), longest=60)
        assert (outcome.done, outcome.left, outcome.passed.total()) == (300, 0, 0)
        if verb in ("cancel", "dismiss"):
            assert _states(user) == {State.CANCELED: 300}
    assert not Task.of(user).where(Task.dismissed_at.is_null()).exists()
    assert not _states(user)
    assert not Notification.select().exists(), "what goes with a task has gone"
    assert User.get_by_id(user.id).changes >= before + 1500, "open pages hear of it"


def test_a_task_that_runs_is_asked_to_stop(each_database):
    user = make_user()
    make_task(State.IN_PROGRESS, user)
    make_task(State.PENDING, user)
    outcome = press("cancel", Task.of(user))
    assert (outcome.done, outcome.stopping) == (2, 1)
    assert _states(user) == {State.CANCELED: 1, State.CANCELING: 1}


@pytest.mark.parametrize("verb", OWNER_ACTIONS)
def test_two_presses_at_once_do_each_task_once(each_database, verb, monkeypatch):
    monkeypatch.setattr(bulk, "SHORT", 60.0)  # on a busy machine the shorter of the two would leave some
    user = make_user()
    for _ in range(40):
        make_task(FROM.get(verb, State.SUCCEEDED), user)
    one, other = race(2, lambda: press(verb, Task.of(user), longest=60))
    assert not isinstance(one, Exception), one
    assert not isinstance(other, Exception), other
    if verb == "dismiss":  # whoever closes a closed alert has done what they wanted
        assert max(one.done, other.done) <= 40 <= one.done + other.done
    else:
        assert one.done + other.done == 40
    assert (one.left, other.left) == (0, 0)


@pytest.mark.parametrize(("state", "becomes"), [(State.IN_PROGRESS, State.PAUSING), (State.PENDING, State.PAUSED)])
def test_a_task_is_paused_as_its_own_button_does(each_database, state, becomes):
    task = make_task(state)
    outcome = press("pause", Task.of(task.user))
    assert (outcome.done, outcome.stopping, task.reload().state) == (1, state == State.IN_PROGRESS, becomes)


def test_bulk_retry_skips_tasks_that_never_ran(each_database):
    """A mail that was canceled before its time would else go out to everybody."""
    user = make_user()
    never = [make_task(State.CANCELED, user, started_at=None), make_task(State.SCHEDULED, user)]
    ran = [make_task(State.CANCELED, user), make_task(State.FAILED, user)]
    outcome = press("retry", Task.of(user))
    assert (outcome.done, outcome.passed) == (2, Counter([State.CANCELED, State.SCHEDULED]))
    assert [task.reload().state for task in (*never, *ran)] == [
        State.CANCELED,
        State.SCHEDULED,
        State.PENDING,
        State.PENDING,
    ]


def test_of_those_that_run_one_at_a_time_one_is_retried_and_the_others_are_told(each_database):
    user = make_user()
    tasks = [make_task(State.FAILED, user, unique_key=f"{user.id} export") for _ in range(3)]
    outcome = press("retry", Task.of(user))
    assert (outcome.done, outcome.duplicates, outcome.total) == (1, 2, 3)
    assert sorted(task.reload().state for task in tasks) == [State.FAILED, State.FAILED, State.PENDING]


def test_a_whole_is_not_paused_but_retried(each_database):
    user = make_user()
    parent = make_task(State.IN_PROGRESS, user, composition=Composition.GROUP)
    part = make_task(State.FAILED, user, parent=parent, root=parent)
    assert press("pause", Task.of(user)).passed == {State.IN_PROGRESS: 1}
    Task.update(state=State.FAILED).where(Task.id == parent.id).execute()
    assert press("retry", Task.of(user)).done == 1
    assert part.reload().state == State.PENDING


@pytest.mark.parametrize(
    ("verb", "act", "passed"),
    [
        (
            "cancel",
            lambda task: Task.update(state=State.SUCCEEDED).where(Task.id == task.id).execute(),
            State.SUCCEEDED,
        ),
        ("remove", lambda task: task.retry(), State.PENDING),
        ("dismiss", lambda task: task.retry(), State.PENDING),
        ("cancel", lambda task: task.delete_instance(), None),
        ("remove", lambda task: task.delete_instance(), None),
        ("dismiss", lambda task: task.delete_instance(), None),
    ],
)
def test_a_task_that_has_moved_meanwhile_is_counted_and_no_error(each_database, monkeypatch, verb, act, passed):
    user = make_user()
    tasks = [make_task(State.PENDING if verb == "cancel" else State.FAILED, user) for _ in range(3)]
    do = getattr(Task, verb)

    def late(task):
        if task.id == tasks[1].id:
            elsewhere(lambda: act(Task.get_by_id(task.id)))
        do(task)

    monkeypatch.setattr(Task, verb, late)
    outcome = press(verb, Task.of(user))
    assert (outcome.done, outcome.passed, outcome.left) == (2, Counter([passed]), 0)


@pytest.mark.parametrize(
    ("verb", "before", "act"),
    [
        ("dismiss", State.IN_PROGRESS, lambda task: task.succeed()),
        ("remove", State.IN_PROGRESS, lambda task: task.fail("It broke.")),
        ("cancel", State.PENDING, lambda task: task.cancel()),
        ("cancel", State.FAILED, lambda task: task.retry()),
    ],
)
def test_a_task_that_moves_while_a_press_looks_for_tasks_is_counted_once(each_database, monkeypatch, verb, before, act):
    """Whichever query it moves before: what a press says adds up, and nothing of it is less than nothing."""
    user = make_user()
    for moment in range(4):
        Task.delete().execute()
        moving = make_task(before, user)
        make_task(State.PENDING if verb == "cancel" else State.SUCCEEDED, user)
        seen = []

        def between(moment=moment, moving=moving, seen=seen):
            seen.append(1)
            if len(seen) == moment + 1:
                elsewhere(lambda: act(row(moving)))

        _before_each_query(monkeypatch, between)
        outcome = press(verb, Task.of(user))
        monkeypatch.undo()
        assert outcome.total == 2
        assert min(outcome.done, outcome.left, *outcome.passed.values(), 0) == 0


def _before_each_query(monkeypatch, act) -> None:
    execute = database.obj.execute_sql

    def watched(sql, params=None):
        is_alone = database.in_transaction()  # nobody else could do anything now
        if sql.startswith("SELECT") and threading.current_thread() is threading.main_thread() and not is_alone:
            act()
        return execute(sql, params)

    monkeypatch.setattr(database.obj, "execute_sql", watched)


def test_a_press_ends_after_so_many_and_says_how_many_are_left(app):
    user = make_user()
    for _ in range(7):
        make_task(State.PENDING, user)
    outcome = press("cancel", Task.of(user), most=5)
    assert (outcome.done, outcome.left) == (5, 2)
    assert press("cancel", Task.of(user), longest=-1).left == 2
    assert (outcome := press("cancel", Task.of(user))).done == 2
    assert outcome.passed == {State.CANCELED: 5}


def test_a_press_touches_nobody_elses(each_database):
    user, other = make_user(), make_user()
    make_artifact(make_task(State.SUCCEEDED, other))
    make_task(State.PENDING, other)
    before = list(Task.select().where(Task.user == other).dicts())
    for verb in OWNER_ACTIONS:
        assert press(verb, Task.of(user)).total == 0
    assert list(Task.select().where(Task.user == other).dicts()) == before


@pytest.mark.parametrize(
    ("verb", "outcome", "words"),
    [
        ("cancel", BulkResult(12, passed=Counter({State.SUCCEEDED: 3})), "Canceled 12 tasks; 3 had already finished."),
        ("cancel", BulkResult(1, stopping=1), "Canceled 1 task, after the current step."),
        ("cancel", BulkResult(3, stopping=3), "Canceled 3 tasks, after the current step."),
        (
            "cancel",
            BulkResult(0, passed=Counter({State.FAILED: 1, State.SUCCEEDED: 1, State.CANCELING: 1, None: 2})),
            "No tasks canceled; 2 had already finished, 1 was already being canceled, 2 were already gone.",
        ),
        ("pause", BulkResult(2, stopping=1), "Paused 2 tasks, 1 of them after the current step."),
        (
            "pause",
            BulkResult(0, passed=Counter({State.PAUSED: 1, State.PAUSING: 1, State.FAILED: 1, State.SCHEDULED: 1})),
            "No tasks paused; 2 were already paused, 1 had already finished, 1 can’t be paused right now.",
        ),
        ("resume", BulkResult(1, passed=Counter([State.FAILED, State.PENDING])), "Resumed 1 task; 2 weren’t paused."),
        (
            "retry",
            BulkResult(2, duplicates=1, passed=Counter({State.SUCCEEDED: 2, State.CANCELED: 1})),
            "Retried 2 tasks; 2 had already finished, 1 was canceled before it ran (start it with its own "
            "button), 1 can’t run while another task like it is running.",
        ),
        ("dismiss", BulkResult(2, passed=Counter({State.PENDING: 1})), "Closed 2 alerts; 1 hasn’t finished yet."),
        ("remove", BulkResult(1000, left=1234), "Deleted 1,000 tasks. 1,234 more to go: press again to continue."),
        (
            "remove",
            BulkResult(1, left=1, passed=Counter({State.PAUSED: 2})),
            "Deleted 1 task; 2 haven’t finished yet. 1 more to go: press again to continue.",
        ),
    ],
)
def test_what_a_press_did_is_said_in_words(verb, outcome, words):
    assert bulk_result_message(verb, outcome) == words


@pytest.mark.parametrize("verb", OWNER_ACTIONS)
def test_a_press_has_words_for_every_state_that_it_passes_over(verb):
    for state in (None, *State):
        assert "; 1 " in bulk_result_message(verb, BulkResult(0, passed=Counter([state])))
