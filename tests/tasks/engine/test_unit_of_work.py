"""What a run reads and writes in one transaction: lists of items, and queries that are read a part at a time."""

from itertools import count

import pytest

from webapp.db import database
from webapp.dev.factories import make_posts, make_user
from webapp.models import Post, State

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(request, each_database):
    """All of this holds on both databases."""
    return each_database


SOURCES = {
    "a list": lambda: list("abcdefg"),
    "a generator": lambda: (letter for letter in "abcdefg"),
    "a query": lambda: Post.select().where(Post.body.startswith("Post ")),
}


@pytest.mark.parametrize("source", SOURCES)
def test_each_list_of_items_is_written_wholly_or_not_at_all(declare, live_on, kill, source):
    make_posts(make_user(), 7)
    sizes = []

    @declare(title="Copy")
    def copy(task):
        for items in task.batches(SOURCES[source](), 3):
            sizes.append(len(items))
            for number, _ in enumerate(items):
                Post.create(user=task.user, body=f"copy {task.done + number}")
                kill(f"{task.done} and {number}" if number == 1 else "at the beginning")

    task = live_on(copy.launch(make_user()))
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 7, 7)
    copies = [post.body for post in Post.select().where(Post.body.startswith("copy")).order_by(Post.id)]
    assert copies == [f"copy {number}" for number in range(7)]
    assert sizes == [3, 3, 3, 3, 3, 1], "a list whose run was killed is made again"


def test_nothing_is_read_for_a_list_while_another_is_being_written(declare, run_waiting):
    def numbers():
        for number in range(10):
            assert not database.in_transaction()
            yield number

    @declare(title="Write")
    def write(task):
        for batch in task.batches(numbers(), 4):
            for number in batch:
                Post.create(user=task.user, body=str(number))
            assert database.in_transaction()

    task = write.launch(make_user())
    run_waiting()
    assert task.reload().state == State.SUCCEEDED
    assert Post.select().count() == 10


def test_a_query_is_read_on_while_nothing_is_being_written(declare, run_waiting, configure, checkpoints):
    configure(query_batch=3)
    checkpoints(hold=60.0)
    make_posts(make_user(), 7)
    written = count()
    open_at = []

    @declare(title="Write")
    def write(task):
        for _ in task.each(Post.select().where(Post.body.startswith("Post "))):
            open_at.append(database.in_transaction())
            Post.create(user=task.user, body=f"copy {next(written)}")

    write.launch(make_user())
    run_waiting()
    assert open_at == [False, True, True, False, True, True, False]


def test_a_list_that_is_left_by_break_counts_as_done(declare, run_waiting):
    @declare(title="Leave")
    def leave(task):
        for batch in task.batches(range(10), 4):
            Post.create(user=task.user, body=str(batch))
            if 4 in batch:
                break
        task.stage("After it")

    task = leave.launch(make_user())
    run_waiting()
    assert (task.reload().state, task.done) == (State.SUCCEEDED, 10)
    assert Post.select().count() == 2
