"""How far a task is, as people read it."""

from datetime import datetime, timedelta

import pytest

from webapp.models import State, Task
from webapp.progress import Progress

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
    assert _progress(State.SUCCEEDED, finished_at=START + timedelta(minutes=3)).took == "3 minutes"
    assert _progress().took == ""
