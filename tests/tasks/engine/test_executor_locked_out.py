"""A run whose transaction cannot begin, as somebody else holds SQLite's write lock for too long."""

import pytest
from peewee import OperationalError

from tests.racing import somebody_else_writing
from webapp.db import database
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import Artifact, Post, State, Task

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.mark.parametrize("goes_on", [False, True], ids=["the error ends it", "the function catches it"])
def test_a_transaction_that_cannot_begin_leaves_the_run_whole(
    declare, run_waiting, settings, monkeypatch, goes_on, checkpoints
):
    attempts = iter(range(10))

    @declare(title="Write")
    def write(task):
        for number in task.each(range(3)):
            if number == 1 and next(attempts) == 0:
                monkeypatch.setattr(database.obj, "lock_timeout", 0.0)
                with somebody_else_writing(settings):
                    try:
                        Post.create(user=task.user, body="refused")
                    except OperationalError:
                        if not goes_on:
                            raise
                monkeypatch.undo()
            Post.create(user=task.user, body=str(number))
            assert database.in_transaction()

    task = write.launch(make_user())
    checkpoints(hold=0.0)
    run_waiting()
    if not goes_on:
        assert (task.reload().state, task.attempts, task.error) == (State.RETRYING, 0, "The database didn’t respond.")
        Task.update(run_at=utcnow()).execute()
        [due] = Task.due(1)
        due.enqueue()
        run_waiting()
    assert task.reload().state == State.SUCCEEDED
    assert [post.body for post in Post.select().order_by(Post.id)] == ["0", "1", "2"]


@pytest.mark.parametrize(("model", "write"), [(Artifact, "discard"), (Task, "take_retries")])
def test_a_run_that_cannot_write_what_comes_before_its_function_is_interrupted(
    declare, run_waiting, settings, monkeypatch, model, write
):
    """And not left to be taken for one whose worker died."""

    @declare(title="Write", retries=2)
    def create_once(task):
        task.attach("a.txt", "once")

    task = create_once.launch(make_user())
    Task.update(rescues=1, retries=0).execute()
    before = getattr(model, write)

    def refused(*arguments):
        with monkeypatch.context() as patch, somebody_else_writing(settings):
            patch.setattr(database.obj, "lock_timeout", 0.0)
            return before(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(model, write, refused)
        run_waiting()
    now = Task.get_by_id(task.id)
    assert (now.state, now.fencing_token, now.error) == (State.RETRYING, None, "The database didn’t respond.")
    assert (now.attempts, now.crashes, now.interruptions) == (0, 0, 1)
    now.retry()
    run_waiting()
    assert (task.reload().state, task.retries) == (State.SUCCEEDED, 2)
    assert [artifact.name for artifact in Artifact.completed([task])[task]] == ["a.txt"]
