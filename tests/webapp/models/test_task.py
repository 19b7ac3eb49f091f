"""A task's life: the table of moves writes most of these tests; the sentences below catch a wrong table."""

import threading

import pytest

from tests.factories import make_task, make_user
from webapp.database import database
from webapp.models import AlreadyRunning, IllegalMove, Notification, State, Task, TaskEvent, User
from webapp.models.task import ACTIVE, FINISHED, MOVES, sources_of

# What each verb makes of a task that may take it.
VERBS = {
    "succeed": State.SUCCEEDED,
    "fail": State.FAILED,
    "acknowledge_cancel": State.CANCELED,
    "release": State.PENDING,
}
WORDS = {"fail": ["It broke."]}
# Who holds no task cannot end it: what leads from `pending` is for its owner and for `claim`.
HELD = (State.IN_PROGRESS, State.CANCELING)


def _everything(task: Task) -> tuple:
    """All that a move may change: the row, its timeline, its notification, its owner's counter."""
    row = Task.select().where(Task.id == task.id).dicts().get()
    records = list(Notification.select().where(Notification.task == task).dicts())
    return row, task.timeline().count(), records, User.get_by_id(task.user_id).changes


def _reload(task: Task) -> Task:
    return Task.get_by_id(task.id)


# The table


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", State)
def test_a_verb_of_the_worker_moves_a_task_where_the_table_says(app, state, verb):
    task = make_task(state)
    target, before = VERBS[verb], _everything(task)
    if state in HELD and target in MOVES[state]:
        getattr(task, verb)(*WORDS.get(verb, []))
        assert _reload(task).state == target
        assert task.timeline()[-1].kind == target
    else:
        with pytest.raises(IllegalMove):
            getattr(task, verb)(*WORDS.get(verb, []))
        assert _everything(task) == before


@pytest.mark.parametrize("state", State)
def test_claiming_takes_what_the_table_says_may_start(app, state):
    task = make_task(state)
    before = _everything(task)
    claimed = Task.claim(task.id)
    if State.IN_PROGRESS in MOVES.get(state, ()):
        assert claimed.state == _reload(task).state == State.IN_PROGRESS
    else:
        assert claimed is None
        assert _everything(task) == before


CANCEL = {State.PENDING: State.CANCELED, State.IN_PROGRESS: State.CANCELING}


@pytest.mark.parametrize("state", State)
def test_canceling_stops_what_has_not_ended(app, state):
    task = make_task(state)
    before = _everything(task)
    assert task.can_cancel == (state in CANCEL), "the button is there when it works"
    if state in CANCEL:
        assert CANCEL[state] in MOVES[state]
        task.cancel()
        assert _reload(task).state == CANCEL[state]
    else:
        with pytest.raises(IllegalMove) as refused:
            task.cancel()
        assert refused.value.task.state == state
        assert _everything(task) == before


@pytest.mark.parametrize("state", State)
def test_only_what_has_ended_can_be_dismissed(app, state):
    task = make_task(state)
    before = _everything(task)
    assert task.can_dismiss == (state in FINISHED)
    if state in FINISHED:
        task.dismiss()
        assert _reload(task).dismissed_at
        assert _reload(task).state == state
    else:
        with pytest.raises(IllegalMove):
            task.dismiss()
        assert _everything(task) == before


def test_a_state_without_an_exit_is_finished():
    assert {State.SUCCEEDED, State.FAILED, State.CANCELED} == FINISHED
    assert set(State) == FINISHED | ACTIVE
    assert all(reason for targets in MOVES.values() for reason in targets.values())


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached(state):
    assert state is State.PENDING or sources_of(state)


# Sentences


def test_a_task_that_waits_is_canceled_at_once(app):
    task = make_task(State.PENDING, unique_key="export_posts:1")
    task.cancel()
    task = _reload(task)
    assert (task.state, task.is_finished, task.unique_key) == (State.CANCELED, True, None)
    assert task.finished_at
    assert Task.claim(task.id) is None


def test_a_running_task_is_asked_to_stop_and_stops_at_its_next_step(app):
    task = Task.claim(make_task().id)
    assert task.advance(1, 10, "")
    _reload(task).cancel()
    assert _reload(task).state == State.CANCELING
    assert not task.advance(2, 10, ""), "the next step says stop"
    task.acknowledge_cancel()
    task = _reload(task)
    assert (task.state, task.done, task.total) == (State.CANCELED, 1, 10)


def test_the_last_step_wins_over_a_cancel_that_came_too_late(app):
    task = Task.claim(make_task().id)
    task.advance(10, 10, "")
    _reload(task).cancel()
    task.succeed()
    assert _reload(task).state == State.SUCCEEDED


def test_a_failure_keeps_its_progress_and_says_why(app):
    task = make_task(State.IN_PROGRESS, done=12, total=40)
    task.fail("The mail server refused the address.")
    task = _reload(task)
    assert (task.state, task.done, task.total) == (State.FAILED, 12, 40)
    assert task.error == task.timeline()[-1].text == "The mail server refused the address."


def test_success_fills_the_bar(app):
    task = make_task(State.IN_PROGRESS, done=12, total=40)
    task.succeed()
    assert (_reload(task).done, _reload(task).total) == (40, 40)


def test_success_of_an_unknown_number_of_steps_is_all_of_them(app):
    task = make_task(State.IN_PROGRESS, done=12, total=None)
    task.succeed()
    assert (_reload(task).done, _reload(task).total) == (12, 12)


def test_a_new_run_starts_from_the_beginning(app):
    task = make_task(State.IN_PROGRESS, done=12, total=40)
    old_owner = task.owner
    task.release()
    assert (_reload(task).state, _reload(task).owner, _reload(task).pushed_at) == (State.PENDING, None, None)
    task = Task.claim(task.id)
    assert (task.done, task.total, task.stage, task.attempts) == (0, None, "", 2)
    assert task.owner not in {None, old_owner}


def test_dismissing_twice_is_once(app):
    task = make_task(State.SUCCEEDED)
    task.dismiss()
    before = _everything(task)
    task.dismiss()
    assert _everything(task) == before


def test_the_timeline_tells_the_story_in_order(app):
    task = Task.start(make_user(), "countdown", "Count down from 3", {"seconds": 3})
    task = Task.claim(task.id)
    task.log("Half way")
    task.succeed()
    assert [event.kind for event in task.timeline()] == ["launched", "started", "log", "succeeded"]
    assert all(event.text for event in task.timeline())


def test_a_long_title_and_a_long_story_are_cut_and_not_refused(each_database):
    task = Task.claim(Task.start(make_user(), "countdown", "x" * 300, {}).id)
    task.log("y" * 900)
    task.advance(1, 2, "z" * 300)
    task.fail("e" * 900)
    assert len(_reload(task).title) == 200
    assert len(_reload(task).error) == 900
    assert max(len(event.text) for event in task.timeline()) == 500


# Who holds it


def test_a_task_is_claimed_once(app):
    task = make_task()
    assert Task.claim(task.id)
    assert Task.claim(task.id) is None
    assert _reload(task).attempts == 1


def _race(number: int, act) -> list:
    """What each of so many threads got, each with a connection of its own, all let go at once."""
    barrier, results = threading.Barrier(number), []

    def run():
        with database.connection_context():
            barrier.wait()
            results.append(act())

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == number
    return results


def test_of_many_workers_one_gets_the_task(each_database):
    for _ in range(5):
        task = make_task()
        won = [claimed for claimed in _race(8, lambda task_id=task.id: Task.claim(task_id)) if claimed]
        assert len(won) == 1
        assert _reload(task).owner == won[0].owner
        assert [event.kind for event in task.timeline()] == ["launched", "started"]


@pytest.mark.parametrize("verb", ["succeed", "fail", "acknowledge_cancel", "release"])
def test_a_run_that_lost_its_task_writes_nothing(app, verb):
    lost = make_task(State.CANCELING if verb == "acknowledge_cancel" else State.IN_PROGRESS)
    Task.update(owner="another run").where(Task.id == lost.id).execute()
    before = _everything(lost)
    with pytest.raises(IllegalMove):
        getattr(lost, verb)(*WORDS.get(verb, []))
    assert not lost.advance(39, 40, "I still believe it is mine")
    assert not lost.is_mine_and_running()
    assert _everything(lost) == before


def test_who_never_held_a_task_can_not_end_it(app):
    """No owner token is not the same as the owner token of a task that nobody holds."""
    task = make_task(State.PENDING)
    assert task.owner is None
    before = _everything(task)
    for verb in VERBS:
        with pytest.raises(IllegalMove):
            getattr(task, verb)(*WORDS.get(verb, []))
    assert _everything(task) == before


# One at a time


def test_a_second_task_with_the_same_key_is_refused_while_the_first_is_under_way(app):
    user = make_user()
    first = Task.start(user, "export_posts", "Export", {}, "export_posts:1")
    with pytest.raises(AlreadyRunning) as refused:
        Task.start(user, "export_posts", "Export", {}, "export_posts:1")
    assert refused.value.task == first
    assert Task.select().count() == 1


@pytest.mark.parametrize("end", ["succeed", "fail", "cancel"])
def test_the_key_is_free_again_when_the_task_has_ended(app, end):
    user = make_user()
    task = Task.start(user, "export_posts", "Export", {}, "export_posts:1")
    if end != "cancel":
        task = Task.claim(task.id)
    getattr(task, end)(*WORDS.get(end, []))
    assert Task.start(user, "export_posts", "Export", {}, "export_posts:1").state == State.PENDING


def test_of_many_starts_one_wins(each_database):
    user = make_user()

    def start():
        try:
            return Task.start(user, "export_posts", "Export", {}, f"export_posts:{user.id}")
        except AlreadyRunning as error:
            return error

    results = _race(8, start)
    [started] = [result for result in results if isinstance(result, Task)]
    assert {error.task.id for error in results if isinstance(error, AlreadyRunning)} == {started.id}
    assert Task.select().count() == TaskEvent.select().count() == 1


# Notifications


def test_a_task_has_one_notification_that_says_how_it_is_now(app):
    task = Task.claim(make_task().id)
    task.advance(3, 10, "")
    task.succeed()
    [record] = Notification.select().where(Notification.task == task)
    assert record.name == "task_progress"
    assert record.payload["state"] == "succeeded"
    assert record.payload["done"] == record.payload["total"] == 10


def test_every_move_and_every_progress_counts_the_owners_changes_up(app):
    task = make_task()
    seen = [User.get_by_id(task.user_id).changes]

    def count() -> bool:
        seen.append(User.get_by_id(task.user_id).changes)
        return seen[-1] == seen[-2] + 1

    task = Task.claim(task.id)
    assert count()
    task.advance(1, 2, "")
    assert count()
    task.cancel()
    assert count()
    task.acknowledge_cancel()
    assert count()
    task.dismiss()
    assert count()


def test_only_the_owner_hears_of_a_task(app):
    other = make_user()
    make_task().cancel()
    assert User.get_by_id(other.id).changes == 0


@pytest.mark.parametrize("verb", ["cancel", "claim", "succeed", "advance", "dismiss", "start"])
def test_a_move_and_its_notification_are_rolled_back_together(each_database, verb):
    state = {"cancel": State.PENDING, "claim": State.PENDING, "dismiss": State.FAILED}.get(verb, State.IN_PROGRESS)
    task = make_task(state)
    act = {
        "claim": lambda: Task.claim(task.id),
        "advance": lambda: task.advance(13, 40, "on"),
        "start": lambda: Task.start(task.user, "countdown", "Another", {}),
    }.get(verb, lambda: getattr(task, verb)())
    before = _everything(task), Task.select().count(), Notification.select().count()
    with database.atomic() as transaction:
        act()
        assert (_everything(task), Task.select().count(), Notification.select().count()) != before, "it did something"
        transaction.rollback()
    assert (_everything(task), Task.select().count(), Notification.select().count()) == before
