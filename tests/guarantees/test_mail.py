"""A mail server that hangs or refuses, for a task that mails what it has made."""

from itertools import count

import pytest

from tasks.export_posts import export_posts
from tests.guarantees.mail import assert_posts_are_ready, mail_server
from tests.guarantees.sites import assert_stamped_once, is_done, state_of
from tests.guarantees.worker import stamp
from tests.processes import until
from webapp.dev.factories import make_posts, make_user
from webapp.models import Artifact, State, Task, User

pytestmark = pytest.mark.parametrize("shared_site", ["sqlite"], indirect=True)  # where one could lock out the others
_numbers = count(1)


@pytest.fixture
def ann(site) -> User:
    """Somebody with posts and an address."""
    user = make_user(f"ann-{next(_numbers)}", email="ann@example.com")
    make_posts(user, 30)
    return user


def test_a_mail_server_that_hangs_holds_up_no_other_task_and_is_tried_again(site, ann):
    site.worker()
    with mail_server(site, is_silent=True):
        task = export_posts.launch(ann)
        until(lambda: Artifact.completed([task])[task])  # so that what the other writes is not in it
        other = stamp.launch(ann, steps=5, pause=0.01)
        assert_stamped_once(other)
        assert state_of(task) == State.IN_PROGRESS, "the other went by it"
        until(lambda: state_of(task) == State.RETRYING)
    assert Task.get_by_id(task.id).error.endswith("the mail server did not answer in time.")
    assert_posts_are_ready(task)
    with mail_server(site) as server:
        task.reload().retry()
        until(lambda: is_done(task))
    assert (state_of(task), len(server.mails)) == (State.SUCCEEDED, 1)


def test_an_export_whose_mail_is_refused_fails_in_words_and_can_be_retried(site, ann):
    site.worker()
    with mail_server(site, refused={"ann@example.com"}) as server:
        task = export_posts.launch(ann)
        until(lambda: is_done(task))
        now = Task.get_by_id(task.id)
        assert (now.state, now.error.partition(": ")[2]) == (
            State.FAILED,
            "the mail server refused the address ann@example.com.",
        )
        assert_posts_are_ready(task)
        server.refused.clear()
        now.retry()
        until(lambda: state_of(task) == State.SUCCEEDED)
    assert len(server.mails) == 1
    assert_posts_are_ready(task)
