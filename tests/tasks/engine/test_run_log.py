"""The run log: each line of a run is in the timeline once, even when the step that said it is undone."""

import pytest

from webapp.db import database
from webapp.models import Post, State

pytestmark = pytest.mark.usefixtures("quick_heartbeat")


@pytest.mark.parametrize("first", ["write", "say"])
def test_a_line_of_a_step_that_is_undone_is_there_once(execute, first):
    def fail(task):
        for number in task.each(range(3), every_step=True):
            for what in ("write", "say") if first == "write" else ("say", "write"):
                Post.create(user=task.user, body=f"{number}") if what == "write" else task.log(f"at {number}")
            if number == 1:
                raise RuntimeError("it broke")

    task = execute(fail)
    assert (task.state, [post.body for post in Post.select()]) == (State.FAILED, ["0"])
    assert [event.text for event in task.timeline() if event.kind == "log"] == ["at 0", "at 1"]
    assert task.timeline()[-1].kind == "failed", "in the order in which it happened"


def test_a_line_said_in_a_transaction_of_its_own_that_is_undone_is_there(execute):
    def fail(task):
        try:
            with database.atomic():
                Post.create(user=task.user, body="undone")
                task.log("it is full")
                raise ValueError
        except ValueError:
            task.log("so be it")

    task = execute(fail)
    assert (task.state, Post.select().count()) == (State.SUCCEEDED, 0)
    assert [event.text for event in task.timeline() if event.kind == "log"] == ["it is full", "so be it"]


def test_lines_of_steps_that_stand_are_not_there_twice(execute):
    def write(task):
        for number in task.each(range(4)):
            Post.create(user=task.user, body=str(number))
            task.log(f"at {number}")

    said = [event.text for event in execute(write).timeline() if event.kind == "log"]
    assert said == ["at 0", "at 1", "at 2", "at 3"]
