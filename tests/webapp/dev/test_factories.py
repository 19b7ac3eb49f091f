"""The factories make rows that could have come about: what is set and what is not is as after a real life."""

from datetime import timedelta

import pytest

from webapp.dev.factories import _NEVER_RAN, make_post, make_posts, make_task, make_user
from webapp.lib.complete import complete
from webapp.lib.times import utcnow
from webapp.models import Composition, Notification, State, Task, User

LEASE = timedelta(seconds=15)

# How a task really comes to each state, once a worker has it.
LIVES = complete(
    "LIVES",
    set(State) - _NEVER_RAN,
    {
        State.RETRYING: lambda task: task.retry_later(300, "The mail server did not answer in time."),
        State.PAUSING: lambda task: Task.get_by_id(task.id).pause(),
        State.PAUSED: lambda task: (Task.get_by_id(task.id).pause(), task.acknowledge_stop()),
        State.IN_PROGRESS: lambda task: None,
        State.CANCELING: lambda task: Task.get_by_id(task.id).cancel(),
        State.CANCELED: lambda task: (Task.get_by_id(task.id).cancel(), task.acknowledge_stop()),
        State.SUCCEEDED: lambda task: task.succeed(),
        State.FAILED: lambda task: task.fail("It broke."),
    },
)


def _live(state: State) -> Task:
    user, what = make_user(), ("countdown", "Count down from 40", {"seconds": 40})
    if state is State.WAITING:
        parent = Task.start(user, "", "Two", {}, composition=Composition.CHAIN)
        return Task.start(user, *what, parent=parent)
    task = Task.start(user, *what, run_at=utcnow() + timedelta(minutes=5) if state is State.SCHEDULED else None)
    if state in LIVES:
        task = Task.claim(LEASE)
        task.advance(12, 40, "Collecting your posts")
        LIVES[state](task)
    return Task.get_by_id(task.id)


SAID = ("stage", "error", "fencing_token", "lease_until", "run_at", "started_at", "finished_at", "run_seconds")


def _shape(task: Task) -> tuple:
    """What of a row does not depend on when and by whom."""
    row = Task.select().where(Task.id == task.id).dicts().get()
    said = {name: bool(row[name]) for name in SAID}
    numbers = [row[name] for name in ("state", "queue_key", "done", "total", "attempts", "unique_key", "dismissed_at")]
    payloads = [record.payload for record in Notification.select().where(Notification.task == task)]
    return said, numbers, [event.kind for event in task.timeline()], payloads


@pytest.mark.parametrize("state", State)
def test_a_made_task_is_like_one_that_lived(app, state):
    made, lived = _shape(make_task(state)), _shape(_live(state))
    if state is State.WAITING:
        made, lived = made[:-1], lived[:-1]  # a part's news come with those of its whole
    assert made == lived


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
