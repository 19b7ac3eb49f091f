"""What people read about a task, on whatever page."""

from datetime import datetime, timedelta

import pytest

from tasks.engine.models.state import FINISHED
from tests.browsing import words
from webapp.dev.factories import make_artifact, make_task
from webapp.lib.complete import complete
from webapp.lib.times import utcnow
from webapp.models import Composition, State, Task, User

WORDS = complete(
    "WORDS",
    State,
    {
        State.SCHEDULED: "Starts on 2 January 2031, 09:30:05",
        State.WAITING: "Waiting for earlier steps",
        State.PENDING: "Waiting for a free worker",
        State.IN_PROGRESS: "Collecting your posts",
        State.RETRYING: "Retrying on 2 January 2031, 09:30 (attempt 2 of 4) The mail server did not answer in time.",
        State.PAUSING: "Pausing after the current step",
        State.PAUSED: "Paused after 12 of 40",
        State.CANCELING: "Canceling after the current step",
        State.CANCELED: "12 of 40",
        State.SUCCEEDED: "1 minute",
        State.FAILED: "The mail server refused the address.",
    },
)


LATER = {"run_at": datetime(2031, 1, 2, 9, 30, 5)}


@pytest.mark.parametrize("state", State)
def test_every_page_says_the_same_about_a_task(ann, state):
    task = make_task(state, ann.user, **LATER if state in (State.SCHEDULED, State.RETRYING) else {})
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        element = ann.get(path).one(f"#task-{task.id}")
        assert element["data-state"] == state
        assert task.title in element.text
        assert WORDS[state] in words(element).replace(" ,", ",")


@pytest.mark.parametrize("state", State)
def test_the_bar_shows_how_far_it_is_and_never_more(ann, state):
    task = make_task(state, ann.user)
    page = ann.get(f"/tasks/{task.id}")
    bar = page.one(f"progress[id='task-{task.id}-progress']")
    if state in (State.SCHEDULED, State.WAITING, State.PENDING):
        assert (bar["max"], bar["value"]) == ("1", "0")
    else:
        assert (bar["max"], bar["value"]) == ("40", "40" if state is State.SUCCEEDED else "12")
    assert "100%" not in page.one("article.task").text


def test_a_failed_task_is_never_full(ann):
    task = make_task(State.FAILED, ann.user, done=40, total=40, error="The mail could not be sent.")
    element = ann.get(f"/tasks/{task.id}").one("article.task")
    assert "100%" not in element.text
    assert "Finished" not in element.text


def test_a_bar_of_unknown_length_has_no_value(ann):
    task = make_task(State.IN_PROGRESS, ann.user, done=12, total=None)
    page = ann.get(f"/tasks/{task.id}")
    assert not page.one("article.task progress").has_attr("value")
    assert "12 so far" in page.words


def test_the_timeline_is_on_the_tasks_page(ann):
    task = make_task(State.FAILED, ann.user)
    kinds = [line["data-kind"] for line in ann.get(f"/tasks/{task.id}").page.select("article.task li[data-kind]")]
    assert kinds == ["launched", "started", "failed"]


def test_an_artifact_is_linked_wherever_its_task_is_shown(ann):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "<b>.json", expires_at=datetime(2026, 11, 28))
    for path in ("/", "/tasks", f"/tasks/{artifact.task_id}"):
        shown = words(ann.get(path).one(f"#task-{artifact.task_id} .artifacts"))
        assert "2 bytes · available until 28 November" in shown
        link = ann.get(path).one(f'a[href="/artifacts/{artifact.id}"]')
        assert "<b>.json" in link.text


def test_a_row_names_a_day_once_and_no_time_twice(ann):
    at = datetime(2026, 11, 20, 9, 30)
    make_task(State.SUCCEEDED, ann.user, created_at=at, finished_at=at + timedelta(minutes=5))
    assert words(ann.get("/tasks").one(".row .when")) == "Created 20 November 2026, 09:30 , ended 09:35"
    Task.update(finished_at=at + timedelta(days=1)).execute()
    assert words(ann.get("/tasks").one(".row .when")).endswith("ended 21 November 2026, 09:30")


def test_whoever_has_never_started_a_task_is_told_what_to_do(ann):
    for path in ("/tasks/new/export_posts", "/tasks/new/import_posts", "/tasks/new"):
        assert ann.get("/").one(f".next a[href='{path}']")
    hint = "Tasks run in the background"
    assert hint in ann.get("/").words
    make_task(State.SUCCEEDED, ann.user, dismissed_at=utcnow())
    assert hint not in ann.get("/").words
    assert ann.get("/").one(".next a[href='/tasks/new/export_posts']").text == "Export my posts"


def test_a_visitor_is_offered_no_task(visitor):
    assert not visitor.get("/").page.select(".next")


@pytest.mark.parametrize(("zone", "is_asked"), [("UTC", True), ("Asia/Seoul", False)])
def test_who_has_said_no_time_zone_is_asked_where_times_are_asked_for(ann, zone, is_asked):
    User.update(time_zone=zone).where(User.id == ann.user.id).execute()
    for path in ("/mail", "/tasks/new/countdown"):
        assert bool(ann.get(path).page.select("a[href='/settings#time_zone']")) == is_asked


def test_a_title_is_text_and_never_markup(ann):
    task = make_task(State.IN_PROGRESS, ann.user, title="<script>alert(1)</script>", stage="<img src=x>")
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        element = ann.get(path).one(f"#task-{task.id}")
        assert "<script>alert(1)</script>" in element.text
        assert not element.select("script, img[src=x]")


def test_people_without_javascript_are_shown_news_too(ann):
    for state in State:
        task = make_task(state, ann.user)
        refresh = ann.get(f"/tasks/{task.id}").page.select('noscript meta[http-equiv="refresh"]')
        assert bool(refresh) == (state not in FINISHED)


def test_a_long_list_has_pages(ann):
    for _ in range(25):
        make_task(State.SUCCEEDED, ann.user)
    first = ann.get("/tasks")
    second = ann.get(first.one('a[rel="next"]')["href"])
    shown = [row["id"] for page in (first, second) for row in page.page.select("#task-list li[id^=task-]")]
    assert len(shown) == len(set(shown)) == 25
    assert not second.page.select('a[rel="next"]')


# What waits


def test_an_attempt_that_comes_soon_is_counted_down(ann):
    task = make_task(State.RETRYING, ann.user, run_at=utcnow() + timedelta(seconds=41))
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        element = ann.get(path).one(f"#task-{task.id} .words")
        assert words(element) == "Retrying in 40 seconds (attempt 2 of 4) The mail server did not answer in time."


def test_a_task_in_line_says_its_place_on_every_page(ann, bob):
    make_task(State.SUCCEEDED, bob.user, run_seconds=40.0)
    for turn in range(3):
        make_task(State.PENDING, bob.user, queue_key=turn)
    task = make_task(State.PENDING, ann.user, queue_key=3)
    for path in ("/", "/tasks", f"/tasks/{task.id}"):
        place = words(ann.get(path).one(f"#task-{task.id} .words"))
        assert place == "3 tasks ahead, about 3 minutes"


def test_a_task_that_is_scheduled_has_not_started(ann):
    make_task(State.SCHEDULED, ann.user)
    assert words(ann.get("/tasks").one(".when")).startswith("Created "), "or it would seem to be scheduled for that day"


def test_times_are_those_of_their_readers_clock(ann):
    User.update(time_zone="Europe/Berlin").where(User.id == ann.user.id).execute()
    task = make_task(State.SCHEDULED, ann.user, **LATER)
    assert "Starts on 2 January 2031, 10:30:05" in ann.get(f"/tasks/{task.id}").words


# What was kept for a while


def test_an_expired_artifact_is_named_but_not_linked(ann):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "posts.json", expired_at=datetime(2026, 11, 28))
    for path in ("/", "/tasks", f"/tasks/{artifact.task_id}"):
        kept = ann.get(path).one(f"#task-{artifact.task_id} .artifacts")
        assert words(kept) == "posts.json expired on 28 November"
        assert not kept.select("a")


# Wholes and parts


def _family(user: User) -> tuple[Task, Task, list[Task]]:
    """An import, whose second part is made of two parts, and whose third comes after both."""
    parent = make_task(State.IN_PROGRESS, user, composition=Composition.CHORD, name="", title="Import the choir")
    make_task(State.SUCCEEDED, user, parent=parent, root=parent, title="Read the file")
    group = make_task(
        State.IN_PROGRESS, user, parent=parent, root=parent, composition=Composition.GROUP, title="Invite all"
    )
    altos = make_task(State.RETRYING, user, parent=group, root=parent, title="Invite altos")
    basses = make_task(State.FAILED, user, parent=group, root=parent, title="Invite basses")
    make_task(State.WAITING, user, parent=parent, root=parent, step=1, title="Report")
    return parent, group, [altos, basses]


def test_the_page_of_a_whole_shows_all_its_parts_as_a_tree(ann):
    parent, group, _ = _family(ann.user)
    tree = ann.get(f"/tasks/{parent.id}").one("article > ol.parts")
    assert _titles(tree) == ["Read the file", ("Invite all", ["Invite altos", "Invite basses"]), "Report"]
    assert {part["data-state"] for part in tree.select("li")} == {
        "succeeded", "in_progress", "retrying", "failed", "waiting",
    }  # fmt: skip
    assert "The mail server refused the address." in words(tree)
    part = ann.get(f"/tasks/{group.id}")
    assert _titles(part.one("article > ol.parts")) == ["Invite altos", "Invite basses"]
    assert part.one(f'.crumb a[href="/tasks/{parent.id}"]').text == "Import the choir"


def _titles(tree):
    """The titles of a tree, as a list of strings, and of pairs with those of the parts."""
    found = []
    for part in tree.find_all("li", recursive=False):
        title, inner = part.find("a", recursive=False).text, part.find("ol", recursive=False)
        found.append((title, _titles(inner)) if inner else title)
    return found


def test_parts_stand_with_their_whole_and_nowhere_else(ann):
    parent, _, parts = _family(ann.user)
    assert [row["id"] for row in ann.get("/tasks").page.select("#task-list li[id]")] == [f"task-{parent.id}"]
    assert [alert["id"] for alert in ann.get("/").page.select("#task-alerts li[id]")] == [f"task-{parent.id}"]
    assert [alert["id"] for alert in ann.get(f"/tasks/{parts[0].id}").page.select("#task-alerts li[id]")] == [
        f"task-{parent.id}"
    ], "the page of a part does not show the whole"


def test_a_part_in_line_says_its_place_in_the_tree(ann, bob):
    make_task(State.PENDING, bob.user, queue_key=0)
    parent = make_task(State.IN_PROGRESS, ann.user, composition=Composition.GROUP)
    part = make_task(State.PENDING, ann.user, parent=parent, root=parent, queue_key=1)
    assert words(ann.get(f"/tasks/{parent.id}").one(f"#task-{part.id} .words")) == "1 task ahead"


def test_a_large_family_costs_no_more_queries_than_a_small_one(ann, queries):
    def cost(parts: int) -> int:
        parent = make_task(State.IN_PROGRESS, ann.user, composition=Composition.GROUP)
        for number in range(parts):
            make_task(State.PENDING, ann.user, parent=parent, root=parent, queue_key=number)
        with queries() as seen:
            assert len(ann.get(f"/tasks/{parent.id}").page.select(".parts li")) == parts
        return seen.count

    cost(1)  # remembers that she was here
    assert cost(40) == cost(2)
