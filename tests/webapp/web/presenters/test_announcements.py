"""What is said to who cannot see it: once, when it is news, and nothing a second time because something else went."""

from datetime import timedelta

import pytest

from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import Notification, State, Task

HTMX = {"HX-Request": "true"}


def _said(browser, path="/live") -> dict[str, str]:
    """The sentences by the ids of their elements."""
    answer = browser.get(path, headers=HTMX)
    selector = "hx-partial[hx-target='#status'] p" if path.startswith("/live") else "#status[role=status] p"
    return {line["id"]: line.text for line in answer.page.select(selector)}


def _old(task: Task) -> None:
    long_ago = utcnow() - timedelta(minutes=5)
    ended = {"finished_at": long_ago} if task.finished_at else {}
    Task.update(updated_at=long_ago, started_at=long_ago, **ended).where(Task.id == task.id).execute()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.SCHEDULED, "Count down from 40 is scheduled."),
        (State.PENDING, "Count down from 40 has started."),
        (State.IN_PROGRESS, "Count down from 40 has started."),
        (State.PAUSING, "Pausing Count down from 40."),
        (State.PAUSED, "Count down from 40 is paused."),
        (State.RETRYING, "Count down from 40 is waiting to be tried again."),
        (State.CANCELING, "Canceling Count down from 40."),
        (State.SUCCEEDED, "Count down from 40 finished."),
        (State.FAILED, "Count down from 40 failed."),
        (State.CANCELED, "Count down from 40 was canceled."),
    ],
)
def test_a_transition_of_a_task_is_announced(ann, state, words):
    task = make_task(state, ann.user, updated_at=utcnow())
    if state == State.IN_PROGRESS:
        Task.update(started_at=utcnow()).where(Task.id == task.id).execute()
    if state in (State.SUCCEEDED, State.FAILED, State.CANCELED):
        Task.update(finished_at=utcnow()).where(Task.id == task.id).execute()
    assert list(_said(ann).values()) == list(_said(ann, "/").values()) == [words]


def test_each_thing_has_an_element_of_its_own_so_that_only_what_is_new_is_said(ann):
    first = make_task(State.IN_PROGRESS, ann.user, title="One")
    second = make_task(State.IN_PROGRESS, ann.user, title="Two")
    first.succeed()
    before = _said(ann)
    second.fail("It broke.")
    after = _said(ann)
    assert "One finished." in before.values()
    assert {after[name] for name in after.keys() - before.keys()} == {"Two failed."}
    assert before.items() - after.items() <= {(name, words) for name, words in before.items() if "Two" in words}


def test_progress_is_not_said_nor_that_a_worker_has_come(ann):
    task = Task.start(ann.user, "countdown", "Export posts", {})
    before = _said(ann)
    assert list(before.values()) == ["Export posts has started."]
    Task.update(state=State.IN_PROGRESS, started_at=utcnow(), fencing_token="x").where(Task.id == task.id).execute()
    Task.get_by_id(task.id).advance(13, 40, "Further on")
    assert _said(ann) == before


def test_nothing_old_is_said_when_something_newer_goes(ann):
    """However many have ended: what comes into sight in place of an alert that is closed is no news."""
    for number in range(12):
        task = make_task(State.SUCCEEDED, ann.user, title=f"Old {number}")
        _old(task)
    latest = make_task(State.IN_PROGRESS, ann.user, title="The latest")
    latest.succeed()
    assert list(_said(ann).values()) == ["The latest finished."]
    latest.dismiss()
    assert _said(ann) == {}


def test_a_new_message_is_announced_once_and_not_after_it_is_read(ann, bob):
    ann.submit("/messages/bob", body="Hello")
    first = _said(bob)
    assert list(first.values()) == ["New message from ann."]
    ann.submit("/messages/bob", body="Are you there?")
    second = _said(bob)
    assert list(second.values()) == ["New message from ann."]
    assert second.keys() != first.keys(), "so it is said again"
    assert _said(bob) == second
    bob.submit("/messages/ann/reading")
    assert _said(bob) == {}


def test_an_old_message_is_no_news_nor_is_one_of_which_nobody_wants_to_hear(ann, bob):
    ann.submit("/messages/bob", body="Hello")
    Notification.update(told_at=utcnow() - timedelta(minutes=5)).execute()
    assert _said(bob) == {}
    bob.submit("/notifications/settings", message="off", succeeded="app", failed="app", mail="app")
    ann.submit("/messages/bob", body="Are you there?")
    assert _said(bob) == {}


def test_the_rest_of_the_region_is_not_said_again(ann):
    assert ann.get("/").one("#status[role=status]")["aria-atomic"] == "false"


@pytest.mark.parametrize(
    ("length", "words"), [(0, ""), (37, ""), (449, ""), (450, "50 left"), (500, "0 left"), (503, "3 too many")]
)
def test_the_count_of_a_posts_characters_is_said_only_near_its_limit(ann, length, words):
    answer = ann.submit("/posts/count", body="x" * length)
    count = answer.one("#post-count")
    assert f"{length} of 500" in count.text
    live = count.select("[role=status], [aria-live], output")
    assert [tag.text for tag in live] == [words]
    assert ann.get("/").one("#body")["aria-describedby"] == "post-length"
