"""The schedule at the desk: what will start by itself and when."""

from datetime import timedelta

import pytest

from tests.browsing import browse, words
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Leader, State, schedule

MOST_QUERIES = 11  # the session, the owner, four for the tasks, their owners, two of the site, the tray, the badges


@pytest.fixture
def read(app):
    """A function that asks for the schedule with a filter, and returns the answer."""
    browser = browse(app, make_staff(name="ada"))
    return lambda **wanted: browser.get("/desk/schedule", query_string=wanted)


def make_timed(state: State = State.SCHEDULED, minutes: float = 5, **fields):
    """A task that waits for its time."""
    return make_task(state, run_at=utcnow() + timedelta(minutes=minutes), **fields)


def ids(answer) -> list[str]:
    """The tasks on a page."""
    return [row["id"].removeprefix("task-") for row in answer.page.select("tr[id^=task-]")]


def test_everybodys_tasks_that_wait_for_a_time_are_listed_the_soonest_first(read):
    ann = make_user("ann")
    later = make_timed(minutes=9, user=ann, title="Something private")
    soon = make_timed(State.RETRYING, 1, user=make_user("bob"), attempts=2)
    make_task(State.SUCCEEDED, ann)
    answer = read()
    assert ids(answer) == [str(soon.id), str(later.id)]
    assert words(answer.one(f"#task-{soon.id}")).endswith("Retry after 2 attempts")
    assert words(answer.one(f"#task-{later.id}")).startswith("Countdown ann ")
    assert answer.one(f"#task-{later.id} th a")["href"] == f"/desk/tasks/{later.id}"
    assert "Something private" not in answer.words


def test_an_internal_task_says_that_it_is_one(read):
    task = make_timed(hidden=True)
    assert "internal" in words(read().one(f"#task-{task.id}"))


def test_a_kind_and_an_owner_are_found(read):
    ann = make_user("ann")
    wanted = make_timed(user=ann, name="export_posts")
    make_timed(user=ann, name="countdown")
    make_timed(name="export_posts")
    assert len(ids(read(kind="export_posts"))) == len(ids(read(owner="Ann"))) == 2
    assert ids(read(kind="export_posts", owner="ann")) == [str(wanted.id)]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [({"kind": "dance"}, "Choose one from the list."), ({"owner": "none"}, "Nobody has that name.")],
)
def test_a_filter_that_is_wrong_says_so(read, wrong, sentence):
    answer = read(**wrong)
    assert answer.status_code == 422
    assert sentence in answer.words


def walk(**wanted) -> list:
    """All pages of two."""
    found, place = schedule.upcoming(2, **wanted)
    seen = [*found]
    while place:
        found, place = schedule.upcoming(2, place, **wanted)
        seen.extend(found)
    return seen


def test_pages_have_each_task_once_also_those_of_one_moment(app):
    at = utcnow() + timedelta(hours=1)
    made = [make_task(state, run_at=at) for state in (State.SCHEDULED, State.RETRYING) for _ in range(4)]
    made += [make_timed(minutes=number) for number in range(3)]
    seen = walk()
    assert len(seen) == len(made)
    assert {task.id for task in seen} == {task.id for task in made}
    assert [task.run_at for task in seen] == sorted(task.run_at for task in made)


def test_those_of_a_rare_kind_of_somebody_are_looked_for_a_part_at_a_time(ann, monkeypatch):
    monkeypatch.setattr(schedule, "MOST_LOOKED_THROUGH", 3)
    times = ((20, State.SCHEDULED), (21, State.RETRYING))
    rare = [make_timed(state, minutes, name="export_posts", user=ann.user) for minutes, state in times]
    for number in range(10):
        make_timed(minutes=number, name="countdown", user=ann.user)
    wanted = {"kind": "export_posts", "owner": ann.user.id}
    assert schedule.upcoming(2, **wanted)[0] == []
    assert [task.id for task in walk(**wanted)] == [task.id for task in rare]


def test_the_next_page_keeps_the_filter(read):
    for number in range(51):
        make_timed(minutes=number, name="countdown")
    first = read(kind="countdown")
    rest = first.one("a[rel=next]")["href"]
    assert (len(ids(first)), "kind=countdown" in rest) == (50, True)
    assert read(after="x").status_code == 400


def test_it_takes_few_queries(read, queries):
    for _ in range(30):
        make_timed(user=make_user())
    with queries() as asked:
        read(owner="ada", kind="countdown")
    assert asked.count <= MOST_QUERIES


def test_the_sites_own_work_is_listed_with_when_it_last_was_done(read):
    Leader.create(role="sweeper", token="t", until=utcnow())
    answer = read()
    for name in ("Find runs that were lost", "Mail admins about errors", "Count tasks", "Delete what is older"):
        assert name in answer.words
    assert "Nothing is scheduled." in answer.words
