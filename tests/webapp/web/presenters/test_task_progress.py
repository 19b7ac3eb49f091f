"""How far a task is, as people read it."""

from datetime import datetime, timedelta

import pytest

from tasks.engine.models.fair_queue import QueuePosition
from webapp.models import State, Task
from webapp.web.presenters import task_progress as progress_module
from webapp.web.presenters.task_progress import COUNTDOWN_WITHIN, Progress, queue_text

START = datetime(2026, 11, 21, 9, 30)


def _progress(state=State.IN_PROGRESS, done=0, total=None, after=60, **fields) -> Progress:
    now = START + timedelta(seconds=after)
    return Progress(Task(state=state, done=done, total=total, started_at=START, updated_at=now, **fields))


@pytest.mark.parametrize(
    ("done", "total", "bar", "percent", "amount"),
    [
        (0, None, (None, None), None, ""),
        (12, None, (None, None), None, "12 so far"),
        (0, 40, (40, 0), 0, "0 of 40"),
        (12, 40, (40, 12), 30, "12 of 40"),
        (39_999, 40_000, (40_000, 39_999), 99, "39,999 of 40,000"),
        (40, 40, (40, 40), 100, "40 of 40"),
        (41, 40, (40, 40), 100, "40 of 40"),
        (0, 0, (None, None), None, ""),
    ],
)
def test_the_bar_is_never_fuller_than_full(done, total, bar, percent, amount):
    progress = _progress(done=done, total=total)
    assert (progress.max, progress.value) == bar
    assert (progress.percent, progress.amount) == (percent, amount)


@pytest.mark.parametrize(
    ("name", "done", "total", "reached"),
    [
        ("countdown", 0, 60, ""),
        ("countdown", 0, None, ""),
        ("countdown", 1, 60, " after 1 of 60"),
        ("countdown", 12, None, " after 12 so far"),
        ("send_mail", 1, 60, ""),
    ],
)
def test_a_task_that_never_ran_says_no_progress(name, done, total, reached):
    assert _progress(State.CANCELED, done=done, total=total, name=name).reached == reached


def test_the_time_left_goes_by_the_pace_so_far():
    assert "2 minutes" in _progress(done=10, total=30, after=60).left
    assert "left" in _progress(done=10, total=30, after=60).left
    assert "a few seconds" in _progress(done=59, total=60, after=59).left


@pytest.mark.parametrize(
    "progress",
    [
        _progress(done=0, total=40),
        _progress(done=12, total=None),
        _progress(done=12, total=40, after=1),
        *(_progress(state=state, done=12, total=40) for state in State if state is not State.IN_PROGRESS),
    ],
)
def test_nobody_guesses_without_something_to_go_by(progress):
    assert progress.left == ""


def test_how_long_it_took():
    assert _progress(State.SUCCEEDED, run_seconds=180.0).took == "3 minutes"
    assert _progress().took == ""


def test_a_task_that_never_ran_took_no_time():
    assert Progress(Task(state=State.CANCELED)).took == ""


def test_the_pace_is_that_of_the_work_and_not_of_the_pauses():
    # 90 seconds in earlier runs and 30 in this one for 40 steps; however long it was paused between.
    assert _progress(done=40, total=60, after=30, run_seconds=90.0).left == "1 minute left"


@pytest.fixture
def now(monkeypatch):
    """The present moment, which stands still at START."""
    monkeypatch.setattr(progress_module, "utcnow", lambda: START)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "in a few seconds"),
        (0, "in a few seconds"),
        (4, "in a few seconds"),
        (41, "in 40 seconds"),
        (COUNTDOWN_WITHIN, "in 1 minute"),
        (COUNTDOWN_WITHIN + 1, ""),
        (3600, ""),
    ],
)
@pytest.mark.usefixtures("now")
def test_an_attempt_is_counted_down_once_it_is_near(seconds, words):
    task = Task(state=State.RETRYING, run_at=START + timedelta(seconds=seconds))
    assert Progress(task).next_attempt == words


@pytest.mark.parametrize(
    ("attempts", "retries", "words"), [(1, 3, "attempt 2 of 4"), (3, 3, "attempt 4 of 4"), (0, 3, ""), (0, 0, "")]
)
def test_attempts_are_counted_from_the_first_that_failed(attempts, retries, words):
    assert _progress(State.RETRYING, attempts=attempts, retries=retries).attempt == words


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (None, "Waiting for a free worker"),
        (QueuePosition(0, None), "Waiting for a free worker"),
        (QueuePosition(0, 40.0), "Waiting for a free worker"),
        (QueuePosition(1, None), "1 task ahead"),
        (QueuePosition(1, 0.0), "1 task ahead, a few seconds"),
        (QueuePosition(1, 40.0), "1 task ahead, about 40 seconds"),
        (QueuePosition(3, 120.0), "3 tasks ahead, about 2 minutes"),
        (QueuePosition(49, 120.0), "49 tasks ahead, about 2 minutes"),
        (QueuePosition(50, 120.0), "About 50 tasks ahead, about 2 minutes"),
        (QueuePosition(996, 120.0), "About 1,000 tasks ahead, about 2 minutes"),
        (QueuePosition(1234, 7200.0), "About 1,200 tasks ahead, about 2 hours"),
    ],
)
def test_a_place_in_line_reads_like_a_sentence(place, words):
    assert queue_text(place, Task(name="countdown"), "Europe/Berlin") == words
