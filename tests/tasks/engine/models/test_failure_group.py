"""Failures: which cause a task has failed by, as long as it has, and the group of all that have failed by one."""

import multiprocessing
from datetime import timedelta

import pytest

from tasks.countdown import countdown
from tasks.engine import TaskError, TemporaryError, chain, executor
from tasks.engine.models import failure_group
from tasks.engine.models.failure_group import MOST_OF_A_KIND, TOUCH_EVERY
from tasks.engine.models.phrases import DIED_REPEATEDLY, NO_PROGRESS, NOT_SAVED, UNKNOWN
from tasks.engine.retention import purge
from tests.racing import elsewhere
from webapp.db import database
from webapp.dev.factories import make_task, make_user
from webapp.lib.error_shape import ErrorShape, shape_of, shape_of_words
from webapp.lib.times import utcnow
from webapp.models import FailureGroup, IllegalTransition, State, Task

LEASE = timedelta(seconds=15)
FULL = ErrorShape("OSError", "tasks/export_posts.py:export_posts", "The disk is full", "  a traceback")


def _running(**fields) -> Task:
    return make_task(State.IN_PROGRESS, **fields)


def _fingerprint(task: Task) -> str | None:
    return task.fresh().fingerprint


def _of(words, kind: str = "countdown") -> str:
    return shape_of_words(words).fingerprint(kind)


# What a task says


def test_a_failed_task_has_the_fingerprint_of_its_cause_and_others_of_that_cause_have_the_same(each_database):
    one, other, third = _running(), _running(), _running()
    one.fail("Row 17 is too long.")
    other.fail("Row 5 is too long.")
    third.fail("It is full.")
    assert _fingerprint(one) == _fingerprint(other) == one.fingerprint
    assert _fingerprint(third) not in (None, _fingerprint(one))
    assert {group.message for group in FailureGroup.select()} == {"Row … is too long.", "It is full."}


@pytest.mark.parametrize(
    "after",
    [
        lambda task: task.retry(),
        lambda task: (task.retry(), Task.claim(LEASE).succeed()),
        lambda task: (task.retry(), task.fresh().cancel()),
    ],
    ids=["retried", "succeeded", "canceled"],
)
def test_a_task_that_is_not_failed_any_more_has_no_cause(each_database, after):
    task = _running()
    task.fail("It broke.")
    after(task)
    assert _fingerprint(task) is None


def test_a_task_that_awaits_another_attempt_has_the_cause_of_the_last_one(each_database):
    task = _running(retries=3)
    task.retry_later(0, "It broke.")
    assert _fingerprint(task) == _of("It broke.")
    task.enqueue()
    assert _fingerprint(task) is None
    task = Task.claim(LEASE)
    task.retry_later(60, "It broke again.")
    task.cancel()
    assert _fingerprint(task) is None


def test_what_ends_a_run_otherwise_has_a_cause_of_its_own(each_database):
    slow, away, dead = _running(), _running(), _running(crashes=5, lease_until=utcnow() - LEASE)
    slow.time_out(NO_PROGRESS(seconds=300.0), 60, further=False)
    away.interrupt(NOT_SAVED())
    assert dead.rescue()
    causes = [_of(words) for words in (NO_PROGRESS(seconds=20.0), NOT_SAVED(), DIED_REPEATEDLY())]
    assert [_fingerprint(task) for task in (slow, away, dead)] == causes
    assert len(set(causes)) == 3


def test_a_pause_a_postponement_and_a_rescue_are_no_failures(each_database):
    paused, postponed, rescued = _running(), _running(), _running(lease_until=utcnow() - LEASE)
    paused.pause()
    Task.get_by_id(paused.id)
    paused.acknowledge_stop()
    postponed.postpone(utcnow() + LEASE, "Tomorrow.")
    rescued.rescue()
    assert [_fingerprint(task) for task in (paused, postponed, rescued)] == [None] * 3
    assert not FailureGroup.select().exists()


def test_a_run_that_does_not_hold_the_task_any_more_leaves_no_group(each_database):
    task = _running()
    Task.update(fencing_token="another").execute()
    with pytest.raises(IllegalTransition):
        task.fail("I am late.")
    assert not FailureGroup.select().exists()


# What the function raised


def test_the_group_says_where_it_was_raised_and_repeats_no_value(execute):
    def refuse(task, name: str):
        raise TaskError(f"There is no “{name}”.")

    task = execute(refuse, name="the diary of ann")
    found = FailureGroup.get_by_id(task.fresh().fingerprint)
    assert (found.kind, found.exception, found.message) == ("refuse", "tasks.engine.errors.TaskError", "There is no ….")
    assert "in test_the_group_says" in found.traceback
    assert "diary" not in found.traceback


def test_errors_of_a_library_and_of_ours_are_told_apart_by_type(execute):
    def divide(task):
        return 1 / 0

    def look_up(task):
        return {}["ann"]

    found = [FailureGroup.get_by_id(execute(function).fresh().fingerprint) for function in (divide, look_up)]
    assert [(each.exception, each.message) for each in found] == [
        ("ZeroDivisionError", "division by zero"),
        ("KeyError", "…"),
    ]


def test_an_attempt_that_is_tried_again_counts_as_well(execute):
    def wait(task):
        raise TemporaryError("The server is busy.")

    task = execute(wait)
    assert FailureGroup.get_by_id(task.fresh().fingerprint).message == "The server is busy."


def test_a_result_that_cannot_be_stored_is_a_failure_with_a_cause(execute):
    def make(task):
        return object()

    task = execute(make)
    assert FailureGroup.get_by_id(task.fresh().fingerprint).exception == "TypeError"


def test_a_kind_that_this_release_does_not_know_is_a_cause(app):
    task = make_task(State.PENDING, name="sing")
    executor.execute_next()
    assert _fingerprint(task) == _of(UNKNOWN(), "sing")


# Workflows


def test_a_workflow_fails_by_the_cause_of_its_part_so_that_both_are_found(each_database):
    parent = chain(countdown.s(seconds=1), countdown.s(seconds=1)).launch(make_user())
    Task.claim(LEASE).fail("It broke.")
    assert _fingerprint(parent) == _of("It broke.")
    assert FailureGroup.select().count() == 1
    parent.fresh().retry()
    assert not Task.select().where(Task.fingerprint.is_null(False)).exists()


# The rows of groups


def test_success_costs_no_query_and_a_failure_that_is_known_costs_one(each_database, queries):
    def cost(end) -> int:
        task = _running()
        with queries() as seen:
            end(task)
        return seen.count

    first = cost(lambda task: task.fail("It broke."))
    known = cost(lambda task: task.fail("It broke."))
    success = cost(lambda task: task.succeed())
    assert first - known == 2, "whether there are too many, and the row"
    assert known - success == 1, "whether it is known"


def test_a_group_is_written_again_once_a_minute_at_most(each_database, configure):
    configure(release="one")
    _running().fail("It broke.", FULL)
    found = FailureGroup.get()
    assert (found.first_release, found.last_release) == ("one", "one")
    configure(release="two")
    _running().fail("It broke.", FULL)
    assert FailureGroup.get().last_at == found.last_at
    early = utcnow() - TOUCH_EVERY
    FailureGroup.update(first_at=early, last_at=early).execute()
    _running().fail("It broke.", FULL)
    now = FailureGroup.get()
    assert now.last_at > now.first_at == early
    assert (now.first_release, now.last_release) == ("one", "two")


def test_a_clock_that_was_ahead_does_not_keep_a_group_from_being_seen(each_database):
    _running().fail("It broke.")
    FailureGroup.update(last_at=utcnow() + timedelta(days=400)).execute()
    _running().fail("It broke.")
    assert FailureGroup.get().last_at < utcnow() + TOUCH_EVERY


def test_messages_without_end_are_told_apart_no_further_than_so_many(each_database, monkeypatch):
    monkeypatch.setattr(failure_group, "MOST_OF_A_KIND", 5)
    assert MOST_OF_A_KIND > 5
    for number in range(12):
        _running().fail("It broke.", ErrorShape("OSError", "a.py:f", "It broke" + " again" * number))
    assert FailureGroup.select().count() == 6
    rest = FailureGroup.get(FailureGroup.message == "…")
    assert Task.select().where(Task.fingerprint == rest.fingerprint).count() == 7


@pytest.mark.parametrize("message", ["x" * 10_000_000, "\0" * 500, "\ud800" * 500, "🙈" * 500, "'" * 100_000, ""])
def test_whatever_was_raised_is_recorded(each_database, message):
    task = _running()
    task.fail("It broke.", shape_of(ValueError(message)))
    assert len(_fingerprint(task)) == 16
    assert FailureGroup.get_by_id(task.fingerprint).exception == "ValueError"


def test_groups_go_when_no_task_has_failed_by_them_for_as_long_as_tasks_are_kept(each_database, configure):
    kept, gone = _running(), _running()
    kept.fail("It broke.")
    gone.fail("It is gone.")
    long_ago = utcnow() - timedelta(days=400)
    FailureGroup.update(last_at=long_ago).execute()
    Task.delete().where(Task.id == gone.id).execute()
    purge()
    assert [group.message for group in FailureGroup.select()] == ["It broke."]


# Many at once


@pytest.fixture
def postgres(make_app, emptied_postgres):
    """An app on PostgreSQL, where transactions write side by side."""
    return make_app(database_url=emptied_postgres)


def test_a_failure_of_a_known_cause_waits_for_no_other_that_is_not_committed_yet(postgres):
    _running().fail("It broke.", FULL)
    one, other = _running(), _running()
    with database.transaction():
        one.fail("It broke.", FULL)
        elsewhere(lambda: other.fail("It broke.", FULL))
        assert elsewhere(other.fresh).state == State.FAILED
    assert FailureGroup.select().count() == 1


def _fail_many(ids: list, barrier) -> None:
    barrier.wait(60)
    for task_id in ids:
        Task.get_by_id(task_id).fail("It broke.", FULL)
    database.close()


def test_what_fails_in_many_processes_at_once_by_a_new_cause_makes_one_group(postgres):
    tasks, processes = [_running().id for _ in range(160)], multiprocessing.get_context("fork")
    barrier = processes.Barrier(8)
    database.close()
    workers = [processes.Process(target=_fail_many, args=(tasks[n::8], barrier)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 8
    [cause] = FailureGroup.select()
    assert Task.select().where(Task.fingerprint == cause.fingerprint).count() == 160
