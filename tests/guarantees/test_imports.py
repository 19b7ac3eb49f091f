"""An import of many posts, and its way back, both killed in the middle."""

import pytest

from tasks.engine import Upload
from tasks.import_posts import import_posts, undo_import
from tests.guarantees.sites import is_done, is_under_way, kinds, state_of
from tests.processes import until
from webapp.models import Post, State, Task, User

POSTS = 25_000
ON_EACH_DATABASE = pytest.mark.parametrize("shared_site", ["sqlite", "postgres and redis"], indirect=True)


def _run_and_kill(site, task: Task) -> None:
    """Kill its worker in the middle of it, and wait until another has done it."""
    until(lambda: is_under_way(task))
    site.kill_worker()
    assert 0 < Task.get_by_id(task.id).done < POSTS
    site.start_worker()
    until(lambda: is_done(task))
    now = Task.get_by_id(task.id)
    assert (now.state, now.error, now.done, now.total) == (State.SUCCEEDED, "", POSTS, POSTS)
    assert kinds(task) == ["launched", "started", "pending", "started", "succeeded"]


def _numbers_of(user: User) -> list[int]:
    bodies = Post.select(Post.body).where(Post.user == user).tuples()
    return sorted(int(body.removeprefix("number\n")) for (body,) in bodies)


@ON_EACH_DATABASE
def test_an_import_that_is_killed_and_its_undo_that_is_killed_leave_no_post_out_twice_or_behind(site, user):
    site.worker()
    rows = "".join(f'2026-01-01;"number\n{number}"\n' for number in range(POSTS))
    task = import_posts.launch(user, file=Upload("posts.csv", f"timestamp;body\n{rows}".encode()))
    _run_and_kill(site, task)
    assert _numbers_of(user) == list(range(POSTS))

    mine = Post.create(user=user, body="mine")
    _run_and_kill(site, undo_import.launch(user, task_id=str(task.id), title=task.title))
    assert list(Post.select().where(Post.user == user)) == [mine]
    assert state_of(task) == State.SUCCEEDED
