"""What an operator does with somebody else's task: its timeline says so, and its owner hears of it."""

from datetime import timedelta
from itertools import product

import pytest

from tasks.engine.models import bulk
from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.actor import LONGEST_REASON, by_operator
from tasks.mail_task_outcome import ended_of, subject_of
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import Composition, Notification, OutcomeMail, OverQuota, State, Task, User

pytestmark = pytest.mark.usefixtures("app")

DONE = {"cancel": "Canceled", "pause": "Paused", "resume": "Resumed", "retry": "Retried"}


def last_line(task: Task) -> str:
    return list(task.timeline())[-1].words("ann").split(";")[0]


def told(user: User) -> list[str]:
    about = Notification.user == user, Notification.told_at.is_null(False)
    return [str(row) for row in Notification.select().where(*about)]


@pytest.mark.parametrize(
    ("verb", "state"), [(verb, state) for verb in DONE for state in sorted(OWNER_ACTIONS[verb].moves)]
)
def test_the_timeline_says_that_an_operator_did_it(verb, state):
    task = make_task(state, started_at=utcnow())
    with by_operator():
        getattr(task, verb)()
    assert last_line(task) == f"{DONE[verb]} by an operator"


@pytest.mark.parametrize(
    ("verb", "state"), [(verb, state) for verb in DONE for state in sorted(OWNER_ACTIONS[verb].moves)]
)
def test_the_timeline_says_why_the_operator_did_it(verb, state):
    task = make_task(state, started_at=utcnow())
    with by_operator("The mail server is back"):
        getattr(task, verb)()
    said = list(task.timeline())[-1].words("ann").replace(", stopping after the current step", "")
    assert said == f"{DONE[verb]} by an operator: The mail server is back"


def test_the_longest_reason_fits():
    task = make_task(State.IN_PROGRESS)
    with by_operator("x" * 1000):
        task.cancel()
    assert list(task.timeline())[-1].words("ann").endswith("x" * LONGEST_REASON)


def test_what_never_ran_was_started_by_the_operator_and_another_time_is_a_change_of_theirs():
    task = make_task(State.SCHEDULED, run_at=utcnow() + timedelta(hours=1))
    with by_operator():
        task.reschedule(utcnow() + timedelta(hours=2))
        assert last_line(task) == "Changed by an operator"
        task.retry()
    assert last_line(task) == "Started by an operator"


def test_a_press_for_many_is_theirs_too_and_what_comes_after_is_the_owners_again():
    user = make_user()
    tasks = [make_task(State.PENDING, user, started_at=utcnow()) for _ in range(2)]
    with by_operator():
        assert bulk.press("cancel", Task.of(user)).done == 2
    assert {last_line(task) for task in tasks} == {"Canceled by an operator"}
    tasks[0].reload().retry()
    assert last_line(tasks[0]) == "Retried by ann"


def test_the_parts_of_a_workflow_are_canceled_with_the_rest():
    parent = make_task(State.PENDING, composition=Composition.GROUP, queue_key=None)
    part = make_task(State.PENDING, parent.user, parent=parent, root=parent)
    with by_operator():
        parent.cancel()
    assert (last_line(parent), last_line(part)) == ("Canceled by an operator", "Canceled with the other parts")
    assert told(parent.user) == [f"An operator canceled {parent.title}"]


def test_the_owner_is_told_of_what_an_operator_canceled_also_if_a_worker_ends_it_later():
    for state, reason in product((State.PENDING, State.IN_PROGRESS), ("", "It fills the disk")):
        user = make_user(email="ann@example.com", hearing={"canceled": "mail"})
        task = make_task(state, user, fencing_token="a")
        with by_operator(reason):
            task.cancel()
        if state == State.IN_PROGRESS:
            task.reload().hand_back()
        assert task.reload().state == State.CANCELED
        why = f": {reason}" if reason else ""
        assert told(user) == [f"An operator canceled {task.title}{why}"]
        key = OutcomeMail.begin_mail(user)
        assert subject_of(ended_of(user, key)) == "A task was canceled"


def test_of_what_they_cancel_themselves_they_hear_nothing_whoever_did_it_before():
    task = make_task(State.PENDING)
    with by_operator():
        task.cancel()
    Notification.delete().execute()
    task.reload().retry()
    task.reload().cancel()
    assert told(task.user) == []


def test_a_retry_counts_for_its_owner(allow):
    task = make_task(State.FAILED)
    make_task(State.PENDING, task.user)
    allow(Quota.ACTIVE_TASKS, 1)
    with by_operator(), pytest.raises(OverQuota):
        task.retry()
    assert task.reload().state == State.FAILED
