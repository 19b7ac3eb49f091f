"""The rollup: its rows are what the tasks say, however often, by however many and after whatever it runs."""

from datetime import datetime, timedelta

import pytest

from webapp.dev.factories import make_task, make_user
from webapp.lib.histogram import bucket_of
from webapp.models import Rollup, State, TaskHour, TaskMinute, TaskTotal
from webapp.models.statistics import ALL_KINDS, roll_up
from webapp.models.statistics.counts import TaskCount

NOON = datetime(2026, 11, 21, 12)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def end():
    """Ends a task at a moment, after it waited and ran for so many seconds."""
    user = make_user()

    def ends(at: datetime, outcome: State = State.SUCCEEDED, wait: float = 1, run: float = 2, **fields):
        started = at - run * SECOND
        times = {"ready_at": started - wait * SECOND, "started_at": started, "finished_at": at, "run_seconds": run}
        return make_task(outcome, user, **times | fields)

    return ends


def _rows(model: type[TaskCount] | type[TaskTotal]) -> list[dict]:
    return sorted(model.select().dicts(), key=str)


def _numbers() -> list[list[dict]]:
    return [_rows(model) for model in (TaskMinute, TaskHour, TaskTotal)]


def _counts(model: type[TaskCount]) -> dict:
    return {(row.kind, row.at, row.outcome): row.count for row in model.select()}


def test_a_minute_has_what_ended_in_it_by_kind_and_outcome_and_in_all(end):
    end(NOON)
    end(NOON + 59.999 * SECOND, wait=0.01, run=100)
    end(NOON + 30 * SECOND, State.FAILED, name="count_words")
    end(NOON + MINUTE)
    end(NOON - timedelta(microseconds=1))
    roll_up(NOON + MINUTE)
    assert {key: n for key, n in _counts(TaskMinute).items() if key[1] == NOON} == {
        ("countdown", NOON, "succeeded"): 2,
        ("count_words", NOON, "failed"): 1,
        (ALL_KINDS, NOON, "succeeded"): 2,
        (ALL_KINDS, NOON, "failed"): 1,
    }
    row = TaskMinute.get(kind="countdown", at=NOON)
    assert (row.wait_ms, row.run_ms) == (1010, 102_000)
    assert row.waits == {bucket_of(10): 1, bucket_of(1000): 1}
    assert row.runs == {bucket_of(2000): 1, bucket_of(100_000): 1}


def test_to_recompute_changes_nothing(end):
    for n in range(200):
        end(NOON + 31 * n * SECOND, [State.SUCCEEDED, State.FAILED, State.CANCELED][n % 3])
    for minute in range(120):
        roll_up(NOON + minute * MINUTE)
    once = _numbers()
    roll_up(NOON + 119 * MINUTE)
    assert _numbers() == once
    assert sum(row["count"] for row in once[2]) == 200


def test_a_task_whose_commit_comes_minutes_late_is_counted(end):
    end(NOON)
    roll_up(NOON + MINUTE)
    roll_up(NOON + 2 * MINUTE)
    end(NOON + SECOND)
    roll_up(NOON + 3 * MINUTE)
    roll_up(NOON + 4 * MINUTE)
    assert _counts(TaskMinute)["countdown", NOON, "succeeded"] == 2
    assert TaskTotal.get(kind="countdown").count == 2


def test_after_an_outage_it_catches_up_a_part_at_a_time(end):
    roll_up(NOON)
    for n in range(10):
        end(NOON + 20 * n * MINUTE)
    much_later = NOON + 5 * HOUR
    assert [roll_up(much_later, at_once=4) for _ in range(3)] == [False, False, True]
    assert sum(row.count for row in TaskHour.select().where(TaskHour.kind == ALL_KINDS)) == 10
    assert TaskTotal.get(kind="countdown").count == 10


def test_an_hour_is_the_sum_of_its_minutes(end):
    for n in range(60):
        end(NOON + n * MINUTE, wait=n)
    for minute in range(1, 70):
        roll_up(NOON + minute * MINUTE)
    (hour,) = TaskHour.select().where(TaskHour.kind == "countdown")
    assert (hour.at, hour.count, hour.wait_ms, hour.run_ms) == (NOON, 60, 1000 * sum(range(60)), 120_000)
    assert sum(hour.waits.values()) == 60


def test_totals_stay_when_tasks_and_minutes_go(end):
    task = end(NOON)
    for minute in range(1, 5):
        roll_up(NOON + minute * MINUTE)
    task.delete_instance()
    roll_up(NOON + 5 * MINUTE)
    while TaskMinute.purge(10):
        pass
    assert TaskTotal.get(kind="countdown").count == 1


def test_a_clock_that_steps_back_adds_nothing_twice(end):
    end(NOON)
    roll_up(NOON + 10 * MINUTE)
    once = _numbers()
    roll_up(NOON + 2 * MINUTE)
    roll_up(NOON + 11 * MINUTE)
    assert _numbers() == once


def test_a_clock_that_was_far_ahead_stops_no_numbers(end):
    roll_up(NOON + 1000 * HOUR)
    end(NOON + MINUTE)
    for minute in range(2, 7):
        roll_up(NOON + minute * MINUTE)
    assert TaskTotal.get(kind="countdown").count == 1
    assert Rollup.get().until == NOON + 4 * MINUTE


def test_who_was_canceled_in_the_line_has_no_wait_and_no_run(end):
    make_task(State.CANCELED, ready_at=NOON, started_at=None, finished_at=NOON + SECOND)
    roll_up(NOON + MINUTE)
    row = TaskMinute.get(kind="countdown")
    assert (row.count, row.waits, row.runs, row.wait_ms) == (1, {}, {}, 0)


def test_hidden_tasks_count_and_workflows_do_not(end):
    end(NOON, hidden=True)
    end(NOON, name="")
    roll_up(NOON + MINUTE)
    assert _counts(TaskMinute) == {("countdown", NOON, "succeeded"): 1, (ALL_KINDS, NOON, "succeeded"): 1}
