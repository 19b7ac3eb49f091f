"""The rollup: its rows are what the tasks say, however often, by however many and after whatever it runs."""

import signal
import subprocess
from bisect import bisect_left
from datetime import datetime, timedelta

import pytest

from tests.processes import BIN, ROOT
from tests.racing import race
from webapp.db import database
from webapp.dev.factories import make_task
from webapp.lib.histogram import BOUNDS
from webapp.lib.times import utcnow
from webapp.models import LineHour, LineMinute, Rollup, State, TaskHour, TaskMinute, TaskTotal
from webapp.models.statistics import ALL_KINDS, Range, roll_up, series
from webapp.models.statistics.counts import TaskCount

NOON = datetime(2026, 11, 21, 12)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("each_database")


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
    assert row.waits == {bisect_left(BOUNDS, wait): 1 for wait in (10, 1000)}
    assert row.runs == {bisect_left(BOUNDS, run): 1 for run in (2000, 100_000)}


def test_to_recompute_changes_nothing(end):
    for n in range(100):
        end(NOON + 62 * n * SECOND, [State.SUCCEEDED, State.FAILED, State.CANCELED][n % 3])
    for minute in range(0, 120, 3):
        roll_up(NOON + minute * MINUTE)
    once = _numbers()
    roll_up(NOON + 117 * MINUTE)
    assert _numbers() == once
    assert sum(row["count"] for row in once[2]) == 100


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
    for minute in range(1, 71, 3):
        roll_up(NOON + minute * MINUTE)
    (hour,) = TaskHour.select().where(TaskHour.kind == "countdown")
    assert (hour.at, hour.count, hour.wait_ms, hour.run_ms) == (NOON, 60, 1000 * sum(range(60)), 120_000)
    assert sum(hour.waits.values()) == 60


def test_a_line_of_an_hour_keeps_its_worst_waits_and_how_busy_all_its_minutes_were(end):
    roll_up(NOON)
    for n in range(60):
        at, busy = NOON + n * MINUTE, n < 6
        LineMinute.create(
            at=at, kind=ALL_KINDS, waiting=9 * busy, oldest_wait=60 * busy, running=3 * busy, capacity=3, workers=1
        )
    end(NOON + 30 * MINUTE)
    for minute in range(1, 71, 3):
        roll_up(NOON + minute * MINUTE)
    (hour,) = LineHour.select()
    assert (hour.at, hour.waiting, hour.oldest_wait, hour.workers) == (NOON, 9, 60, 1)
    assert (hour.running, hour.capacity) == (18, 180)
    for which in (Range.DAY, Range.WEEK, Range.MONTH):
        lines = [point.line for point in series(which, NOON + 2 * HOUR) if point.line]
        shares = [line.running / line.capacity for line in lines]
        assert max(shares) == pytest.approx(0.4 if which == Range.DAY else 0.1)


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


def test_two_that_roll_up_at_once_count_nothing_twice(end):
    for n in range(60):
        end(NOON + 7 * n * SECOND)
    now = NOON + 20 * MINUTE
    assert race(4, lambda: roll_up(now)) == [True] * 4
    at_once = _numbers()
    for model in (TaskMinute, TaskHour, TaskTotal, Rollup):
        model.delete().execute()
    roll_up(now)
    assert _numbers() == at_once
    assert TaskTotal.get(kind="countdown").count == 60


@pytest.mark.parametrize("writes", range(1, 8))
def test_a_rollup_that_is_killed_leaves_nothing_twice_and_nothing_missing(each_database, end, writes):
    """Killed as by the host, in a process of its own, before each of its writes in turn."""
    for n in range(40):
        end(NOON + 13 * n * SECOND, [State.SUCCEEDED, State.FAILED][n % 2])
    now = NOON + 20 * MINUTE
    database.close()
    program = [BIN / "python", "-m", "tests.webapp.models.statistics.dies_in_rollup"]
    program += [each_database.config["SETTINGS"].database_url, now.isoformat(), str(writes)]
    assert subprocess.run(program, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert roll_up(now)
    after = _numbers()
    for model in (TaskMinute, TaskHour, TaskTotal, Rollup):
        model.delete().execute()
    roll_up(now)
    assert _numbers() == after
    assert sum(row["count"] for row in after[2]) == 40


def test_a_purge_keeps_minutes_that_their_hour_has_not_got_yet(end):
    now = utcnow().replace(microsecond=0)
    end(now - timedelta(days=10))
    roll_up(now - timedelta(days=10) + MINUTE)
    assert TaskMinute.purge(100) == 0
    roll_up(now)
    hours = _counts(TaskHour)
    assert TaskMinute.purge(100) == 2
    assert _counts(TaskHour) == hours != {}
    assert TaskHour.purge(100) == 0


def test_a_rollup_costs_a_few_queries_however_much_has_ended(end, queries):
    def cost() -> int:
        with queries() as asked:
            roll_up(NOON + 5 * MINUTE)
        return asked.count

    end(NOON + 3 * MINUTE)
    cost()
    before = cost()
    for n in range(50):
        end(NOON + 3 * MINUTE + n * SECOND)
    assert cost() == before <= 30
