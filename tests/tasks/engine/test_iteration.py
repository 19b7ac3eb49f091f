"""`task.each`: everything once, in order, a batch at a time."""

import tracemalloc

import pytest

from tasks.engine.config import Config
from tasks.engine.run import Run
from webapp.dev.factories import make_posts, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Post, State, Task, TaskEvent

BATCH = Config.query_batch


@pytest.fixture
def run(app) -> Run:
    return Run(make_task(State.IN_PROGRESS))


def test_a_list_is_gone_through_and_counted(run):
    assert list(run.each(["a", "b", "c"])) == ["a", "b", "c"]
    assert (run.done, run.total) == (3, 3)


def test_a_generator_has_no_total(run):
    assert list(run.each(iter("abc"))) == ["a", "b", "c"]
    assert (run.done, run.total) == (3, None)


def test_an_empty_list_is_no_step(run):
    assert list(run.each([])) == []
    assert list(run.each(Post.select())) == []
    assert (run.done, run.total) == (0, 0)


def test_an_item_counts_when_the_next_is_asked_for(run):
    done = [run.done for _ in run.each("abc")]
    assert done == [0, 1, 2]


@pytest.mark.parametrize("number", [1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 1])
def test_a_query_is_read_whole_in_its_order(run, number):
    user = make_user()
    make_posts(user, number)
    make_posts(make_user(), 3)
    assert [post.body for post in run.each(Post.by(user))] == [f"Post {n}" for n in range(1, number + 1)]
    assert (run.done, run.total) == (number, number)


def test_rows_of_the_same_moment_are_each_read_once(run):
    user = make_user()
    make_posts(user, 2 * BATCH + 7, created_at=utcnow())
    ids = [post.id for post in run.each(Post.by(user))]
    assert ids == sorted(set(ids))
    assert len(ids) == 2 * BATCH + 7


def test_a_query_without_an_order_goes_by_its_key(run):
    make_posts(make_user(), BATCH + 1)
    ids = [post.id for post in run.each(Post.select())]
    assert ids == sorted(set(ids))
    assert len(ids) == BATCH + 1


def test_a_query_may_be_ordered_by_a_key_that_is_no_number(run):
    user = make_user()
    Task.insert_many({"user": user.id, "name": "countdown", "title": "T"} for _ in range(BATCH + 3)).execute()
    ids = [task.id for task in run.each(Task.select().where(Task.user == user))]
    assert len(set(ids)) == len(ids) == BATCH + 3


def test_rows_that_come_and_go_meanwhile_disturb_nothing(run):
    user = make_user()
    make_posts(user, BATCH + 10)
    seen = []
    for post in run.each(Post.by(user)):
        seen.append(post.id)
        if len(seen) == 10:
            Post.delete().where(Post.id.in_(seen)).execute()
    assert seen == sorted(set(seen))
    assert len(seen) == BATCH + 10


def test_a_query_costs_one_count_and_one_read_a_batch(run, queries):
    user = make_user()
    make_posts(user, 3 * BATCH)
    with queries() as seen:
        for _ in run.each(Post.by(user)):
            pass
    asked = [
        query.msg[0] for query in seen.get_queries() if query.msg[0].startswith("SELECT") and "posts" in query.msg[0]
    ]
    assert len(asked) == 1 + 3 + 1
    assert seen.count - len(asked) <= 8, "and at most a checkpoint"


def test_a_descending_query_is_refused(run):
    make_posts(make_user(), 2)
    with pytest.raises(ValueError, match="ascending"):
        list(run.each(Post.select().order_by(Post.id.desc())))


def test_memory_does_not_grow_with_the_number_of_rows(run):
    def peak(number: int) -> int:
        user = make_user()
        make_posts(user, number, body="x" * 400)
        tracemalloc.start()
        for _ in run.each(Post.by(user)):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert peak(12 * BATCH) < 1.1 * peak(4 * BATCH)


def test_a_timeline_is_read_like_any_query(run):
    task = make_task(State.SUCCEEDED)
    assert [event.kind for event in run.each(task.timeline())] == ["launched", "started", "succeeded"]
    assert run.total == TaskEvent.select().where(TaskEvent.task == task).count()


@pytest.mark.parametrize(("position", "items"), [(3, Post.select()), ([3], ["a", "b", "c", "d"]), ([3], iter("abcd"))])
def test_a_position_is_not_taken_for_that_of_another_kind_of_loop(app, position, items):
    """The function of a newer release may go through something else where the older one was interrupted."""
    run = Run(make_task(State.IN_PROGRESS, cursor={"done": 3, "total": 4, "loops": [position]}))
    with pytest.raises(TypeError, match="an earlier run went through"):
        next(run.each(items))
