"""The loop cursor: steps and loops of a run, as its checkpoints save them and the next run finds them."""

import json

import pytest

from tasks.engine.loop_cursor import END, LoopCursor


def _go_on(cursor: LoopCursor) -> LoopCursor:
    """The cursor of the next run, from what a row would have."""
    return LoopCursor(json.loads(json.dumps(cursor.as_json())), None)


def _make_steps(cursor: LoopCursor, items: list[str], number: int) -> list[str]:
    """Begin the next loop, and make so many of its steps; returns what they were."""
    assert cursor.begin_loop()
    loop = cursor.enter(items, None)
    made = []
    for item, _ in zip(loop, range(number), strict=False):
        made.append(item)
        cursor.done += loop.advance(item)
    return made


@pytest.fixture
def cursor() -> LoopCursor:
    return LoopCursor({}, None)


def test_the_next_run_goes_on_behind_the_steps_that_are_done(cursor):
    assert _make_steps(cursor, ["a", "b", "c"], 2) == ["a", "b"]
    following = _go_on(cursor)
    assert (following.done, following.total) == (2, 3)
    assert _make_steps(following, ["a", "b", "c"], 9) == ["c"]
    assert following.done == 3


def test_the_next_run_skips_a_loop_that_ended_and_knows_the_second_one_again(cursor):
    _make_steps(cursor, ["a"], 1)
    cursor.end_loop()
    cursor.exit()
    _make_steps(cursor, ["x", "y"], 1)
    following = _go_on(cursor)
    assert not following.begin_loop()
    assert _make_steps(following, ["x", "y"], 9) == ["y"]


def test_a_loop_that_was_left_is_taken_once(cursor):
    _make_steps(cursor, ["a", "b"], 0)
    cursor.leave_loop(2)
    cursor.exit()
    assert [cursor.take_left(), cursor.take_left()] == [2, None]


def test_a_given_total_is_not_changed_by_a_loop():
    for cursor in (LoopCursor({}, 9), LoopCursor({}, None)):
        cursor.total = cursor.total or 7
        given = cursor.total
        _make_steps(cursor, ["a"], 1)
        assert cursor.total == given


def test_going_back_counts_as_the_latest_checkpoint_does(cursor):
    cursor.done, cursor.total = 3, 5
    cursor.mark_saved()
    cursor.done, cursor.total = 4, 6
    cursor.go_back()
    assert (cursor.done, cursor.total) == (3, 5)


def test_cursors_of_earlier_releases_are_read():
    cursor = LoopCursor({"done": 4, "total": 9, "loops": [END, 3], "own": None, "artifacts": []}, None)
    assert not cursor.begin_loop()
    assert _make_steps(cursor, ["a", "b", "c", "d"], 9) == ["d"]
    assert (cursor.done, cursor.total) == (5, 5)
