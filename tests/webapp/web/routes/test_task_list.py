"""The list of tasks: what its filter lets through, and presses for many at once."""

import random
import re
from datetime import datetime, timedelta

import pytest

from tasks.engine.models.state import Group
from tests.browsing import browse, words
from tests.task_plans import fill, plans
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Composition, State, Task, User, counting, task_filter

HTMX = {"HX-Request": "true"}


def _shown(answer) -> list[str]:
    return [row.select_one(".title").text for row in answer.page.select("#task-list .row")]


def _titled(user: User, *titles: str, **fields) -> None:
    for title in titles:
        make_task(State.SUCCEEDED, user, **{"title": title} | fields)


# The filter


@pytest.mark.parametrize("state", State)
def test_every_state_is_in_one_group_and_found_by_it(ann, state):
    for other in State:
        make_task(other, ann.user, title=other)
    [group] = [group for group in Group if state in group.states]
    assert set(_shown(ann.get(f"/tasks?state={group}"))) == group.states


@pytest.mark.parametrize("searched", [3, 1000])
def test_each_filter_is_read_by_an_index_in_its_order(each_database, queries, monkeypatch, searched):
    monkeypatch.setattr("webapp.models.task_filter.MOST_SEARCHED", searched)
    fill([ann := make_user(), *(make_user() for _ in range(20))])
    browser, span = browse(each_database, ann), "since=2020-01-01&until=2100-01-01"
    for query, index in (
        (span, "shown"),
        ("name=countdown", "of_kind"),
        (f"name=countdown&{span}", "of_kind"),
        (f"name=send_mail&q=count&{span}", "of_kind"),
        ("state=failed", "ended"),
        ("state=failed&name=countdown", "ended"),
        (f"state=failed&q=count&{span}", "shown"),
        (f"state=failed&name=countdown&{span}", "of_kind"),
        ("state=paused&name=countdown", "unfinished"),
        (f"state=paused&name=countdown&{span}", "unfinished"),
    ):
        with queries() as seen:
            assert browser.get(f"/tasks?{query}").status_code == 200
        found = [plan for sql, plan in plans(seen) if re.search(r"_at\" DESC, \S+\"id\" DESC", sql)]
        assert found, query
        for plan in found:
            assert set(re.findall(r"\btasks_[a-z_]+", plan)) == {f"tasks_{index}"}, (query, plan)
            assert not re.search(r"TEMP B-TREE|Sort ", plan), (query, plan)


def test_every_group_is_offered_by_its_name_for_people(ann):
    make_task(State.PENDING, ann.user)
    options = {
        option["value"]: option.text for option in ann.get("/tasks").page.select("#filter select[name=state] option")
    }
    assert options == {
        "": "Any state",
        "waiting": "Waiting",
        "scheduled": "Scheduled",
        "in_progress": "In progress",
        "paused": "Paused",
        "finished": "Finished",
        "failed": "Failed",
        "canceled": "Canceled",
    }


def test_tasks_are_found_by_kind(ann):
    _titled(ann.user, "a countdown", name="countdown")
    _titled(ann.user, "an export", name="export_posts")
    _titled(ann.user, "an undoing", name="undo_import")
    _titled(ann.user, "both", name="", composition=Composition.GROUP)
    for name, title in (("export_posts", "an export"), ("undo_import", "an undoing"), ("several", "both")):
        assert _shown(ann.get(f"/tasks?name={name}")) == [title]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("expo", ["Export 100%"]), ("EXPORT", ["Export 100%"]), ("100", ["Export 100%"]),
        ("%", ["Export 100%"]), ("_", ["a_b"]), ("\\", ["back\\slash"]), ("refused", ["failed"]),
        ("count expo", []), ("down count", ["Count down"]), ("'", []), ("\0down", ["Count down"]),
        ("экспорт", ["Экспорт"]), ("ЭКСП", ["Экспорт"]),
    ],
)  # fmt: skip
def test_tasks_are_found_by_words_in_their_title_or_error(each_database, text, titles):
    ann = browse(each_database, make_user("ann"))
    _titled(ann.user, "Export 100%", "Count down", "a_b", "back\\slash", "Экспорт")
    make_task(State.FAILED, ann.user, title="failed", error="The server refused it.")
    assert _shown(ann.get("/tasks", query_string={"q": text})) == titles


def test_days_are_those_of_ones_own_clock_and_meant_as_a_whole(ann):
    User.update(time_zone="America/New_York").where(User.id == ann.user.id).execute()
    for hour, day in ((3, 2), (4, 2), (12, 2), (3, 3), (4, 3)):  # UTC; there it is four hours earlier
        _titled(ann.user, f"{day} {hour}", created_at=datetime(2026, 7, day, hour, 59))
    assert _shown(ann.get("/tasks?since=2026-07-02&until=2026-07-02")) == ["3 3", "2 12", "2 4"]
    assert _shown(ann.get("/tasks?since=2026-07-03")) == ["3 4"]
    assert _shown(ann.get("/tasks?until=2026-07-01")) == ["2 3"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_crash(ann, day):
    for zone in ("Pacific/Auckland", "America/New_York"):
        User.update(time_zone=zone).where(User.id == ann.user.id).execute()
        assert ann.get(f"/tasks?since={day}").status_code == 200
        assert ann.get(f"/tasks?until={day}").status_code == 200


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("state=nonsense", "state", "Choose one from the list."),
        ("name=nonsense", "name", "Choose one from the list."),
        ("since=yesterday", "since", "Enter a date like 2026-11-21."),
        ("until=2026-02-30", "until", "Enter a date like 2026-11-21."),
        ("since=2026-02-02&until=2026-02-01", "until", "“To” can’t be before “From”."),
        (f"q={'x' * 201}", "q", "Search for at most 200 characters."),
    ],
)
def test_an_invalid_value_is_an_error_of_its_field(ann, query, field, said):
    make_task(State.SUCCEEDED, ann.user)
    answer = ann.get(f"/tasks?{query}")
    assert answer.status_code == 422
    assert words(answer.one(f"#{field}-error")) == said
    assert answer.one(f"#filter [name={field}]")["aria-invalid"] == "true"
    assert _shown(answer) == []
    assert ann.get(f"/tasks/_list?{query}", headers=HTMX).status_code == 400
    assert ann.submit(f"/tasks/bulk?{query}", action="remove", all="1").status_code == 400
    assert Task.select().count() == 1


def test_a_search_stays_in_its_form_and_in_every_url(ann):
    for _ in range(25):
        make_task(State.IN_PROGRESS, ann.user, title="Export <all>")
    page = ann.get("/tasks?q=export+%3C&state=in_progress&name=countdown&since=2026-01-02&until=")
    assert page.one("#q")["value"] == "export <"
    assert page.one("#state [selected]")["value"] == "in_progress"
    assert page.one("#name [selected]")["value"] == "countdown"
    assert page.one("#since")["value"] == "2026-01-02"
    wanted = ["q=export+%3C", "state=in_progress", "name=countdown", "since=2026-01-02"]
    older, press = page.one('a[rel="next"]')["href"], page.one("#bulk-cancel")["formaction"]
    for address in (page.one("#task-list")["hx-get"], older, press):
        assert all(part in address for part in wanted), address
        assert "until" not in address
    fragment = ann.get(page.one("#task-list")["hx-get"], headers=HTMX)
    assert fragment.fragment in page.text
    assert len(_shown(ann.get(older))) == 5


def test_htmx_is_told_the_address_without_what_is_empty(ann):
    answer = ann.get("/tasks?q=&state=failed&name=&since=&until=", headers=HTMX)
    assert answer.headers["HX-Replace-Url"] == "/tasks?state=failed"
    assert "HX-Replace-Url" not in ann.get("/tasks?state=nonsense", headers=HTMX).headers


def test_a_list_that_is_filtered_goes_on_asking_as_tasks_come_into_it(ann):
    make_task(State.SUCCEEDED, ann.user)
    assert "every 5s" in ann.get("/tasks?state=failed").one("#task-list")["hx-trigger"]


def test_the_count_is_clear_and_bounded(ann, monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    monkeypatch.setattr("webapp.web.routes.tasks.index.MOST_COUNTED", 3)
    for said in ("1 task", "2 tasks", "3 tasks", "More than 3 tasks", "More than 3 tasks"):
        make_task(State.SUCCEEDED, ann.user)
        assert words(ann.get("/tasks").one("#task-count")) == said
    make_task(State.FAILED, ann.user)
    page = ann.get("/tasks?state=failed")
    assert (words(page.one("#task-count")), words(page.one(".tally .check"))) == ("1 task", "Select all 1")


def test_words_are_looked_for_among_the_latest_which_the_list_says_and_then_among_earlier_ones(ann, monkeypatch):
    monkeypatch.setattr(task_filter, "MOST_SEARCHED", 2)
    monkeypatch.setattr("webapp.web.routes.tasks.index.MOST_SEARCHED", 2)
    _titled(ann.user, "One", "Two", "Three", "Four", "Five")
    for query in ("q=t", "state=finished&q=t", "state=finished&name=countdown&q=t"):
        address, found, said = f"/tasks?{query}", [], []
        while address:
            page = ann.get(address)
            found.append(_shown(page))
            said.append(words(page.one("#task-searched")))
            address = next((link["href"] for link in page.page.select("#task-searched a")), "")
        assert found == [[], ["Three", "Two"], []]
        assert said == [
            "Only the latest 2 tasks were searched. Search earlier tasks",
            "Only the next 2 tasks were searched. Search earlier tasks",
            "Only earlier tasks were searched.",
        ]


def test_a_press_for_all_is_for_those_that_were_searched(ann, monkeypatch):
    monkeypatch.setattr(task_filter, "MOST_SEARCHED", 2)
    _titled(ann.user, "One", "Two", "Three", "Four", "Five")
    page = ann.get(ann.get("/tasks?q=o").one("#task-searched a")["href"])
    assert (words(page.one("#task-count")), words(page.one(".tally .check"))) == ("1 task", "Select all 1")
    ann.submit(page.one("#bulk-remove")["formaction"], action="remove", all="1")
    assert {task.title for task in Task.select()} == {"One", "Three", "Four", "Five"}


def test_a_kind_or_a_state_is_found_however_many_tasks_there_are(ann, monkeypatch):
    monkeypatch.setattr(task_filter, "MOST_SEARCHED", 2)
    _titled(ann.user, "One", "Two", "Three")
    for query in ("name=countdown", "state=finished"):
        page = ann.get(f"/tasks?{query}")
        assert (len(_shown(page)), page.page.select("#task-searched")) == (3, [])


@pytest.mark.parametrize("place", ["yesterday", "2026-01-01T00:00:00+00:00"])
def test_a_place_that_no_page_gave_out_does_not_exist(ann, place):
    for address in ("/tasks", "/tasks/_list"):
        assert ann.get(address, query_string={"q": "x", "older": place}).status_code == 400


def test_where_nothing_fits_it_says_so_and_leads_back(ann):
    make_task(State.SUCCEEDED, ann.user)
    page = ann.get("/tasks?q=nothing")
    assert words(page.one("#task-list h2")) == "No matching tasks"
    assert page.one('#task-list a[href="/tasks"]')
    assert "Start a task" not in page.one("#task-list").text


def test_nobody_elses_tasks_are_found(ann, bob):
    _titled(bob.user, "The secret", error="secret")
    for query in ("", "?q=secret", "?state=finished", "?name=countdown", "?since=2020-01-01"):
        page = ann.get(f"/tasks{query}")
        assert _shown(page) == []
        assert "The secret" not in page.text


# Many at once


def _press(browser, action: str, *tasks: Task, address: str = "/tasks/bulk", **fields):
    return browser.submit(address, action=action, task=[str(task.id) for task in tasks], **fields)


def _told(browser, answer) -> str:
    assert answer.status_code == 303
    return words(browser.get(answer.location).one("#flashes"))


def test_those_that_are_checked_are_canceled_and_counted(ann):
    waiting = [make_task(State.PENDING, ann.user) for _ in range(3)]
    finished = make_task(State.SUCCEEDED, ann.user)
    other = make_task(State.PENDING, ann.user)
    answer = _press(ann, "cancel", *waiting, finished)
    assert answer.location == "/tasks"
    assert _told(ann, answer) == "Canceled 3 tasks; 1 had already finished."
    assert {task.reload().state for task in waiting} == {State.CANCELED}
    assert other.reload().state == State.PENDING


@pytest.mark.parametrize(
    ("action", "state", "becomes", "words"),
    [
        ("retry", State.FAILED, State.PENDING, "Retried 2 tasks; 1 had already finished."),
        ("pause", State.PENDING, State.PAUSED, "Paused 2 tasks; 1 had already finished."),
        ("resume", State.PAUSED, State.PENDING, "Resumed 2 tasks; 1 wasn’t paused."),
    ],
)
def test_a_bulk_action_does_to_each_selected_task_what_its_button_does(ann, action, state, becomes, words):
    tasks = [make_task(state, ann.user) for _ in range(2)]
    button = ann.get("/tasks").one(f"#bulk-{action}")
    answer = _press(ann, button["value"], *tasks, make_task(State.SUCCEEDED, ann.user), address=button["formaction"])
    assert _told(ann, answer) == words
    assert {task.reload().state for task in tasks} == {becomes}


def test_all_that_are_selected_are_those_of_every_page(ann):
    for _ in range(25):
        make_task(State.FAILED, ann.user)
    assert ann.get("/tasks").one("#bulk-chosen .all").text == "All 25 selected"


def test_alerts_of_those_that_are_checked_are_closed(ann):
    tasks = [make_task(State.SUCCEEDED, ann.user) for _ in range(2)]
    assert _told(ann, _press(ann, "dismiss", *tasks)) == "Closed 2 alerts."
    assert _told(ann, _press(ann, "dismiss", *tasks)) == "No alerts closed; 2 were already closed."
    assert not ann.get("/").page.select("#task-alerts [data-state]")


def test_all_that_the_filter_lets_through_are_deleted_and_no_other(ann):
    for _ in range(30):
        make_task(State.FAILED, ann.user)
        make_task(State.SUCCEEDED, ann.user)
    page = ann.get("/tasks?state=failed")
    assert words(page.one(".tally .check")) == "Select all 30"
    answer = _press(ann, "remove", address=page.one("#bulk-remove")["formaction"], all="1")
    assert answer.location == "/tasks?state=failed"
    assert _told(ann, answer) == "Deleted 30 tasks."
    assert {task.state for task in Task} == {State.SUCCEEDED}


def test_somebody_elses_task_is_not_there(ann, bob):
    mine, theirs = make_task(State.SUCCEEDED, ann.user), make_task(State.SUCCEEDED, bob.user)
    assert _told(ann, _press(ann, "remove", mine, theirs)) == "Deleted 1 task; 1 was already gone."
    assert [task.id for task in Task] == [theirs.id]
    _press(ann, "remove", all="1")
    assert Task.select().count() == 1


def test_a_part_is_not_there_by_itself(ann):
    parent = make_task(State.IN_PROGRESS, ann.user, composition=Composition.GROUP)
    part = make_task(State.PENDING, ann.user, parent=parent, root=parent)
    assert _told(ann, _press(ann, "cancel", part)) == "No tasks canceled; 1 was already gone."


def test_a_press_without_anything_checked_says_so_on_the_page(ann):
    make_task(State.PENDING, ann.user)
    answer = ann.submit("/tasks/bulk?state=waiting", action="cancel")
    assert answer.status_code == 422
    assert words(answer.one("#bulk-error")) == "Select at least one task first."
    assert answer.one("#state [selected]")["value"] == "waiting"
    assert Task.get().state == State.PENDING


@pytest.mark.parametrize("action", ["", "reload", "succeed", "delete_instance", "__init__"])
def test_nothing_else_can_be_pressed(ann, action):
    task = make_task(State.SUCCEEDED, ann.user)
    assert _press(ann, action, task).status_code == 400
    assert Task.select().count() == 1


def test_an_id_that_is_none_is_nothing_checked(ann):
    assert ann.submit("/tasks/bulk", action="cancel", task="x'--").status_code == 422


def test_a_press_on_a_later_page_comes_back_to_it(ann):
    tasks = [make_task(State.PENDING, ann.user, queue_key=number) for number in range(25)]
    later = ann.get(ann.get("/tasks").one('a[rel="next"]')["href"])
    answer = _press(ann, "cancel", tasks[0], address=later.one("#bulk-cancel")["formaction"])
    assert "before=" in answer.location


def test_every_row_has_a_checkbox_that_belongs_to_the_form_of_the_page(ann):
    for state in State:
        make_task(state, ann.user)
    page = ann.get("/tasks")
    boxes = page.page.select("#task-list input")
    assert len(boxes) == len(State) + 1
    assert {box["form"] for box in boxes} == {"bulk"}
    assert {button["form"] for button in page.page.select(".bulk button")} == {"bulk"}
    assert page.one("form#bulk input[name=csrf_token]")
    first = page.page.select("form#bulk [type=submit], [form=bulk]:not([type=checkbox])")[0]
    assert first["formmethod"] == "dialog", "or Enter in a checkbox would press a button"
    ids = [tag["id"] for tag in page.page.select("[id]")]
    assert len(ids) == len(set(ids))


def test_a_press_costs_as_much_as_its_tasks_and_little_more(ann, queries):
    def cost(number: int) -> int:
        tasks = [make_task(State.SUCCEEDED, ann.user) for _ in range(number)]
        token = ann.token()
        with queries() as seen:
            ann.post("/tasks/bulk", data={"csrf_token": token, "action": "remove", "task": [task.id for task in tasks]})
        return seen.count

    one, many = cost(1), cost(21)
    assert one <= 8
    assert many <= one + 20 * 2


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELED])
def test_finished_tasks_are_listed_by_their_end_page_by_page(each_database, state):
    ann = browse(each_database, make_user("ann"))
    now, group = utcnow(), {State.SUCCEEDED: "finished"}.get(state, state.value)
    ends = [*range(25)]
    random.Random(1).shuffle(ends)
    for number, minutes in enumerate(ends):
        started, end = now - timedelta(hours=9, minutes=number), now - timedelta(minutes=minutes)
        make_task(state, ann.user, title=f"ended {minutes}", created_at=started, finished_at=end)
    first = ann.get(f"/tasks?state={group}")
    older = ann.get(first.one("a[rel=next]")["href"])
    assert [*_shown(first), *_shown(older)] == [f"ended {minutes}" for minutes in range(25)]
