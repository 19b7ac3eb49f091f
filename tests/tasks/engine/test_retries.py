"""Retries: what may pass is tried again, later each time, in words that say so; what is hopeless is not."""

from datetime import timedelta

import pytest
from peewee import IntegrityError, OperationalError, ProgrammingError

from tasks.engine import Postponed, Retries, TaskError, TemporaryError, executor
from tasks.engine.errors import TimedOut
from tasks.engine.models.outcome import MOST_INTERRUPTIONS
from tasks.engine.models.phrases import INTERRUPTED_REPEATEDLY, NOT_SAVED, UNEXPECTED, UNKNOWN
from tests.browsing import browse
from webapp.db import database
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task


class Odd(Exception):
    pass


MAY_PASS = [ConnectionError(), TimeoutError(), OSError(), RuntimeError(), Odd(), TemporaryError("Busy."), TimedOut()]
HOPELESS = [
    TaskError("No such column."), ValueError(), TypeError(), KeyError(), IndexError(), ZeroDivisionError(),
    AssertionError(), AttributeError(), NameError(), ImportError(), NotImplementedError(),
    UnicodeDecodeError("a", b"", 0, 1, ""), IntegrityError(), ProgrammingError(), SystemExit(1),
]  # fmt: skip


@pytest.mark.parametrize("error", MAY_PASS, ids=lambda error: type(error).__name__)
def test_temporary_errors_are_retried(error):
    assert Retries(3).allow(error)


@pytest.mark.parametrize("error", HOPELESS, ids=lambda error: type(error).__name__)
def test_hopeless_errors_are_not_retried(error):
    assert not Retries(3).allow(error)


def test_a_function_names_the_errors_that_are_retried():
    chosen = Retries(3, on=(KeyError, TaskError))
    assert chosen.allow(KeyError())
    assert chosen.allow(TemporaryError("Busy."))
    assert not chosen.allow(ConnectionError())


def test_waits_between_attempts_grow_up_to_a_limit_with_jitter():
    retries = Retries(99, delay=10, longest=100)
    for attempt, longest in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 100), (6, 100), (500, 100), (10**9, 100)]:
        waits = [retries.wait(attempt) for _ in range(50)]
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 10, "what failed together does not come back together"


@pytest.fixture
def failing(declare, no_heartbeat):
    """A function that declares a task which fails in each attempt, and starts it."""

    def failing(error, **options) -> Task:
        @declare(title="Fail", **options)
        def fail(task):
            raise error

        return fail.launch(make_user())

    return failing


def _attempt(task: Task) -> Task:
    Task.update(run_at=utcnow()).where(Task.id == task.id, Task.run_at.is_null(False)).execute()
    task.reload().enqueue()
    assert executor.execute_next()
    return task.reload()


def test_each_attempt_is_counted_and_told_in_words(failing):
    task = failing(TemporaryError("The server is busy."), retries=2)
    before = utcnow()
    assert executor.execute_next()
    task.reload()
    assert (task.state, task.attempts, task.error) == (State.RETRYING, 1, "The server is busy.")
    assert before + timedelta(seconds=5) <= task.run_at <= utcnow() + timedelta(seconds=10)
    assert (task.fencing_token, task.lease_until, task.queue_key) == (None, None, None)
    assert "The server is busy. Retrying (attempt 2 of 3)" in task.timeline()[-1].text
    assert _attempt(task).state == State.RETRYING
    assert (_attempt(task).state, task.attempts, task.error) == (State.FAILED, 3, "The server is busy.")
    assert [event.kind for event in task.timeline()] == [
        "launched", "started", "retrying", "pending", "started", "retrying", "pending", "started", "failed",
    ]  # fmt: skip
    assert "attempt 2" in task.timeline()[4].text


def test_an_attempt_that_succeeds_leaves_no_error(declare, no_heartbeat):
    errors = [ConnectionError(), None]

    @declare(title="Try", retries=1)
    def try_it(task):
        if error := errors.pop(0):
            raise error
        return 42

    task = try_it.launch(make_user())
    executor.execute_next()
    assert (task.reload().state, task.error) == (State.RETRYING, str(UNEXPECTED()))
    assert (_attempt(task).state, task.error, task.attempts, task.result) == (State.SUCCEEDED, "", 2, 42)


def test_a_hopeless_error_fails_the_task_despite_retries(failing):
    task = failing(ValueError(), retries=9)
    executor.execute_next()
    assert (task.reload().state, task.attempts, task.error) == (State.FAILED, 1, str(UNEXPECTED()))


def test_any_error_fails_a_task_without_retries(failing):
    task = failing(ConnectionError())
    executor.execute_next()
    assert (task.reload().state, task.attempts) == (State.FAILED, 1)


def test_a_kind_of_task_that_is_gone_is_not_tried_again(app, no_heartbeat):
    task = make_task(State.PENDING, name="sing", retries=9)
    executor.execute_next()
    assert (task.reload().state, task.error) == (State.FAILED, str(UNKNOWN()))


@pytest.mark.parametrize(("asked", "became"), [("cancel", State.CANCELED), ("pause", State.PAUSED)])
def test_a_task_asked_to_stop_gets_no_further_attempt(declare, no_heartbeat, asked, became):
    @declare(title="Fail", retries=9)
    def fail(task):
        getattr(Task.get_by_id(task.id), asked)()
        raise ConnectionError

    task = fail.launch(make_user())
    executor.execute_next()
    assert task.reload().state == became


def test_a_retrying_task_can_be_canceled_or_retried_now(failing):
    task = failing(ConnectionError(), retries=9)
    executor.execute_next()
    task.reload().retry()
    assert (task.reload().state, task.run_at) == (State.PENDING, None)
    assert task.attempts == 1, "not waiting is no new beginning"
    executor.execute_next()
    assert (task.reload().state, task.attempts) == (State.RETRYING, 2)
    task.cancel()
    assert (task.reload().state, task.run_at) == (State.CANCELED, None)


def test_its_owner_gives_a_failed_task_all_its_attempts_again(failing):
    task = failing(ConnectionError(), retries=1)
    executor.execute_next()
    assert _attempt(task).state == State.FAILED
    task.dismiss()
    task.reload().retry()
    task.reload()
    assert (task.state, task.attempts, task.error) == (State.PENDING, 0, "")
    assert (task.finished_at, task.dismissed_at) == (None, None), "its alert is there again"
    executor.execute_next()
    assert (task.reload().state, task.attempts) == (State.RETRYING, 1)


def test_a_retry_goes_by_what_the_task_is_and_not_by_what_the_page_showed(failing):
    """The page showed it waiting for an attempt, which has come and has failed since."""
    task = failing(ConnectionError(), retries=1)
    executor.execute_next()
    seen = Task.get_by_id(task.id)
    assert _attempt(task).state == State.FAILED
    seen.retry()
    again = Task.get_by_id(task.id)
    assert (again.state, again.attempts, again.error, again.finished_at) == (State.PENDING, 0, "", None)


def test_a_database_that_does_not_answer_is_no_fault_of_the_task(failing):
    task = failing(OperationalError(_busy()))  # as Peewee wraps it
    waits = []
    for _ in range(MOST_INTERRUPTIONS):
        _attempt(task)
        assert (task.state, task.error, task.attempts) == (State.RETRYING, str(NOT_SAVED()), 0)
        waits.append(round((task.run_at - task.updated_at).total_seconds()))
    assert waits == [5, 10, 20, 40] + [60] * (MOST_INTERRUPTIONS - 4)
    assert (_attempt(task).state, task.error) == (State.FAILED, str(INTERRUPTED_REPEATEDLY()))
    assert task.crashes == 0


def _busy() -> BaseException:
    """The error that SQLite raises when another holds the lock."""
    import sqlite3

    other = sqlite3.connect(database.obj.database, timeout=0, isolation_level=None)
    database.begin()
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error
    finally:
        database.rollback()
        other.close()
    raise AssertionError("it was free")


@pytest.mark.parametrize("result", [None, 3, "text", {"rows": [1, 2.5, None]}])
def test_the_result_of_a_function_is_on_its_row(declare, no_heartbeat, result):
    @declare(title="Return")
    def give(task):
        return result

    task = give.launch(make_user())
    executor.execute_next()
    assert (task.reload().state, task.result) == (State.SUCCEEDED, result)


def test_a_result_that_is_no_json_fails_the_task(declare, no_heartbeat):
    @declare(title="Return", retries=9)
    def give(task):
        return object()

    task = give.launch(make_user())
    executor.execute_next()
    assert (task.reload().state, task.attempts, task.error) == (State.FAILED, 1, str(UNEXPECTED()))


def test_a_row_from_before_a_function_had_retries_is_tried_again_like_a_new_one(declare, app):
    @declare(title="Export", retries=3)
    def export(task):
        last.append(task.is_last_attempt)
        raise OSError("The mail server is gone.")

    last = []
    task = export.launch(make_user())
    Task.update(retries=0).where(Task.id == task.id).execute()  # as a release did that had no such column
    executor.execute_next()
    assert last == [False]
    assert (task.reload().state, task.retries) == (State.RETRYING, 3)
    page = browse(app, task.user).get(f"/tasks/{task.id}").words
    assert "attempt 2 of 4" in page


def test_who_has_to_wait_lets_go_of_the_worker_and_uses_up_no_attempt(failing):
    until = utcnow() + timedelta(seconds=60)
    task = failing(Postponed("The mail server asks us to slow down.", until=until), retries=1)
    for _ in range(5):
        _attempt(task)
        assert (task.state, task.attempts) == (State.RETRYING, 0)
        assert 50 < (task.run_at - utcnow()).total_seconds() <= 60
    assert task.timeline()[-1].text == task.error_words() == "The mail server asks us to slow down."
    assert task.cancel() is None
    assert task.reload().state == State.CANCELED
