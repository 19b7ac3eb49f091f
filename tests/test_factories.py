"""The factories make rows that could have come about: what is set and what is not is as after a real life."""

import pytest

from tests.factories import make_post, make_posts, make_task, make_user
from webapp.models import Notification, State, Task, User

# How a task really comes to each state, from pending.
LIVES = {
    State.PENDING: (),
    State.IN_PROGRESS: ("claim",),
    State.CANCELING: ("claim", "cancel"),
    State.CANCELED: ("claim", "cancel", "acknowledge_cancel"),
    State.SUCCEEDED: ("claim", "succeed"),
    State.FAILED: ("claim", "fail"),
}


def _live(state: State) -> Task:
    task = Task.start(make_user(), "countdown", "Count down from 40", {"seconds": 40})
    for verb in LIVES[state]:
        if verb == "claim":
            task = Task.claim(task.id)
            task.advance(12, 40, "Collecting your posts")
        elif verb == "cancel":
            Task.get_by_id(task.id).cancel()
        else:
            getattr(task, verb)(*["It broke."] if verb == "fail" else [])
    Task.update(pushed_at=task.created_at).where(Task.id == task.id).execute()
    return Task.get_by_id(task.id)


def _shape(task: Task) -> tuple:
    """What of a row does not depend on when and by whom."""
    row = Task.select().where(Task.id == task.id).dicts().get()
    said = {name: bool(row[name]) for name in ("stage", "error", "owner", "pushed_at", "started_at", "finished_at")}
    numbers = [row[name] for name in ("state", "done", "total", "attempts", "unique_key", "dismissed_at")]
    payloads = [record.payload for record in Notification.select().where(Notification.task == task)]
    return said, numbers, [event.kind for event in task.timeline()], payloads


@pytest.mark.parametrize("state", State)
def test_a_made_task_is_like_one_that_lived(app, state):
    assert _shape(make_task(state)) == _shape(_live(state))


@pytest.mark.parametrize("state", State)
def test_a_made_task_was_noticed_by_its_owner(app, state):
    assert User.get_by_id(make_task(state).user_id).changes > 0


def test_names_are_never_taken(app):
    assert len({make_user().username for _ in range(20)}) == 20


def test_many_posts_are_in_the_order_of_their_numbers(app):
    user = make_user()
    make_posts(user, 3)
    make_post(user, "the newest")
    assert [post.body for post in user.posts.order_by(user.posts.model.created_at)] == [
        "Post 1", "Post 2", "Post 3", "the newest",
    ]  # fmt: skip
