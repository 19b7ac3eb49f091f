"""A task's life, in sentences. What each verb does in each state is in test_state."""

from datetime import timedelta

import pytest

from tests.racing import race
from tests.webapp.models.everything import everything, row
from webapp.db import database
from webapp.dev.factories import make_task, make_user
from webapp.models import AlreadyRunning, Notification, State, Task, TaskEvent, User

LEASE = timedelta(seconds=15)


def _claim() -> Task:
    task = Task.claim(LEASE)
    assert task
    return task


# Sentences


def test_a_task_that_waits_is_canceled_at_once(app):
    task = make_task(State.PENDING, unique_key="export_posts:1", active_unique_key="export_posts:1")
    task.cancel()
    task = row(task)
    assert (task.state, task.is_finished, task.active_unique_key, task.queue_key) == (State.CANCELED, True, None, None)
    assert task.finished_at
    assert Task.claim(LEASE) is None


def test_a_running_task_is_asked_to_stop_and_stops_at_its_next_step(app):
    make_task()
    task = _claim()
    assert task.advance(1, 10, "")
    row(task).cancel()
    assert row(task).state == State.CANCELING
    assert not task.advance(2, 10, ""), "the next step says stop"
    task.acknowledge_stop()
    task = row(task)
    assert (task.state, task.done, task.total) == (State.CANCELED, 1, 10)


def test_the_last_step_wins_over_a_cancel_that_came_too_late(app):
    make_task()
    task = _claim()
    task.advance(10, 10, "")
    row(task).cancel()
    task.succeed()
    assert row(task).state == State.SUCCEEDED


def test_a_failure_keeps_its_progress_and_says_why(app):
    task = make_task(State.IN_PROGRESS, done=12, total=40)
    task.fail("The mail server refused the address.")
    task = row(task)
    assert (task.state, task.done, task.total) == (State.FAILED, 12, 40)
    assert task.error == task.timeline()[-1].text == "The mail server refused the address."


def test_success_fills_the_bar(app):
    task = make_task(State.IN_PROGRESS, done=12, total=40)
    task.succeed()
    assert (row(task).done, row(task).total) == (40, 40)


def test_success_of_an_unknown_number_of_steps_is_all_of_them(app):
    task = make_task(State.IN_PROGRESS, done=12, total=None)
    task.succeed()
    assert (row(task).done, row(task).total) == (12, 12)


def test_a_run_without_a_checkpoint_is_followed_by_one_from_the_beginning(app):
    task = make_task(State.IN_PROGRESS, done=12, total=40)
    old_owner = task.fencing_token
    task.hand_back()
    assert (row(task).state, row(task).fencing_token, row(task).lease_until) == (State.PENDING, None, None)
    task = _claim()
    assert (task.done, task.total, task.stage, task.cursor) == (0, None, "", None)
    assert task.attempts == 1, "an interruption is no attempt"
    assert task.fencing_token not in {None, old_owner}
    assert task.timeline()[-1].text == "Picked up by a worker"


def test_a_run_with_a_checkpoint_is_followed_by_one_that_goes_on(app):
    make_task()
    task = _claim()
    assert task.checkpoint({"done": 1_200, "total": 4_000}, 1_200, 4_000, "", LEASE)
    assert task.advance(1_300, 4_000, "")
    task.hand_back()
    assert (row(task).done, row(task).total) == (1_200, 4_000), "what was only reported does not count"
    task = _claim()
    assert (task.done, task.total, task.cursor) == (1_200, 4_000, {"done": 1_200, "total": 4_000})
    assert task.timeline()[-1].text == "Continued by a worker after step 1,200"


def test_dismissing_twice_is_once(app):
    task = make_task(State.SUCCEEDED)
    task.dismiss()
    before = everything()
    task.dismiss()
    assert everything() == before


def test_the_timeline_tells_the_story_in_order(app):
    Task.start(make_user(), "countdown", "Count down from 3", {"seconds": 3})
    task = _claim()
    task.log("Half way")
    task.succeed()
    assert [event.kind for event in task.timeline()] == ["launched", "started", "log", "succeeded"]
    assert all(event.text for event in task.timeline())


def test_a_long_title_and_a_long_story_are_cut_and_not_refused(each_database):
    Task.start(make_user(), "countdown", "x" * 300, {})
    task = _claim()
    task.log("y" * 900)
    task.advance(1, 2, "z" * 300)
    task.fail("e" * 900)
    assert len(row(task).title) == 200
    assert len(row(task).error) == 900
    assert max(len(event.text) for event in task.timeline()) == 500


# Who holds it


def test_a_task_is_claimed_once(app):
    task = make_task()
    assert Task.claim(LEASE)
    assert Task.claim(LEASE) is None
    assert row(task).attempts == 1


def test_of_many_workers_one_gets_the_task(each_database):
    for _ in range(5):
        task = make_task()
        won = [claimed for claimed in race(8, lambda: Task.claim(LEASE)) if claimed]
        assert len(won) == 1
        assert row(task).fencing_token == won[0].fencing_token
        assert [event.kind for event in task.timeline()] == ["launched", "started"]


# One at a time


def test_a_second_task_with_the_same_key_is_refused_while_the_first_is_under_way(app):
    user = make_user()
    first = Task.start(user, "export_posts", "Export", {}, unique_key="export_posts:1")
    with pytest.raises(AlreadyRunning) as refused:
        Task.start(user, "export_posts", "Export", {}, unique_key="export_posts:1")
    assert refused.value.task == first
    assert Task.select().count() == 1


@pytest.mark.parametrize("end", ["succeed", "fail", "cancel"])
def test_the_key_is_free_again_when_the_task_has_ended(app, end):
    user = make_user()
    task = Task.start(user, "export_posts", "Export", {}, unique_key="export_posts:1")
    if end != "cancel":
        task = _claim()
    getattr(task, end)(*["It broke."] if end == "fail" else [])
    assert Task.start(user, "export_posts", "Export", {}, unique_key="export_posts:1").state == State.PENDING


def test_of_many_starts_one_wins(each_database):
    user = make_user()

    def start():
        try:
            return Task.start(user, "export_posts", "Export", {}, unique_key=f"export_posts:{user.id}")
        except AlreadyRunning as error:
            return error

    results = race(8, start)
    [started] = [result for result in results if isinstance(result, Task)]
    assert {error.task.id for error in results if isinstance(error, AlreadyRunning)} == {started.id}
    assert Task.select().count() == TaskEvent.select().count() == 1


# Notifications


def test_a_task_has_one_notification_that_says_how_it_is_now(app):
    make_task()
    task = _claim()
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

    task = _claim()
    assert count()
    task.advance(1, 2, "")
    assert count()
    task.cancel()
    assert count()
    task.acknowledge_stop()
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
        "claim": lambda: Task.claim(LEASE),
        "advance": lambda: task.advance(13, 40, "on"),
        "start": lambda: Task.start(task.user, "countdown", "Another", {}),
    }.get(verb, lambda: getattr(task, verb)())
    before = everything()
    with database.atomic() as transaction:
        act()
        assert everything() != before, "it did something"
        transaction.rollback()
    assert everything() == before
