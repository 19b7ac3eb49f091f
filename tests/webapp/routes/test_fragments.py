"""One file, two readers: what a page shows at load is what the poll brings, for every state; and polls end."""

import pytest

from webapp.factories import make_artifact, make_post, make_task, make_unread_messages
from webapp.models import State, Task
from webapp.models.state import ACTIVE, FINISHED
from webapp.times import utcnow

HTMX = {"HX-Request": "true"}


def _task(state: State, user) -> Task:
    task = make_task(state, user)
    if state is State.SUCCEEDED:
        make_artifact(task)
    return task


@pytest.mark.parametrize("state", State)
def test_a_tasks_panel_is_a_verbatim_part_of_its_page(ann, state):
    task = _task(state, ann.user)
    page, panel = ann.get(f"/tasks/{task.id}"), ann.get(f"/tasks/{task.id}/_panel", headers=HTMX)
    assert panel.status_code == 200
    assert panel.text.strip() in page.text
    assert panel.one(f"#task-{task.id}")
    assert page.one(f"#task-{task.id}")


@pytest.mark.parametrize("state", State)
def test_the_list_is_a_verbatim_part_of_its_page(ann, state):
    task = _task(state, ann.user)
    page, part = ann.get("/tasks"), ann.get("/tasks/_list", headers=HTMX)
    assert part.status_code == 200
    assert part.text.strip() in page.text
    assert page.one(f"#task-{task.id}")
    assert part.one("#task-list").select_one(f"#task-{task.id}")


def test_an_empty_list_is_a_verbatim_part_of_its_page(ann):
    assert ann.get("/tasks/_list", headers=HTMX).text.strip() in ann.get("/tasks").text


def test_the_second_page_of_the_list_polls_itself_and_not_the_first(ann):
    for _ in range(25):
        make_task(State.IN_PROGRESS, ann.user)
    path = ann.get("/tasks").one('a[rel="next"]')["href"]
    page = ann.get(path)
    part = ann.get(page.one("#task-list")["hx-get"], headers=HTMX)
    assert part.text.strip() in page.text
    assert len(part.page.select("li[id^=task-]")) == 5


@pytest.mark.parametrize("state", State)
def test_what_live_brings_is_what_the_page_shows(ann, state):
    task = _task(state, ann.user)
    make_unread_messages(ann.user, 3)
    page, live = ann.get("/"), ann.get("/live", headers=HTMX)
    for partial in live.page.select("hx-partial"):
        target = page.one(partial["hx-target"])
        shown = target.decode() if partial["hx-swap"].startswith("outer") else target.decode_contents()
        assert partial.decode_contents().strip() == shown.strip()
    assert live.page.select_one(f"#task-{task.id}")["data-state"] == state


def test_live_is_partials_and_nothing_else(ann):
    make_task(State.IN_PROGRESS, ann.user)
    live = ann.get("/live", headers=HTMX)
    assert {tag.name for tag in live.page.find_all(recursive=False)} == {"hx-partial"}
    assert {tag["hx-target"] for tag in live.page.select("hx-partial")} == {
        "#session", "#message-badge", "#notice-badge", "#task-alerts", "#status",
    }  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_a_task_polls_itself_as_long_as_it_can_change(ann, state):
    task = make_task(state, ann.user)
    panel = ann.get(f"/tasks/{task.id}").one("article.task")
    rows = ann.get("/tasks").one("#task-list")
    for element, path in ((panel, f"/tasks/{task.id}/_panel"), (rows, "/tasks/_list")):
        assert element["hx-get"] == path
        first, _, press = element["hx-trigger"].partition(", ")
        assert press == "live from:body", "a press of a button is seen at once"
        # What has ended changes only if somebody wants it: by a button here, or in another tab.
        assert first == ("every 5s" if state in ACTIVE else "visibilitychange from:document")


def test_the_list_polls_as_long_as_one_of_its_tasks_can_change(ann):
    for state in FINISHED:
        make_task(state, ann.user)
    assert "every" not in ann.get("/tasks").one("#task-list")["hx-trigger"]
    make_task(State.PENDING, ann.user)
    assert "every" in ann.get("/tasks").one("#task-list")["hx-trigger"]


def test_every_page_of_a_signed_in_person_has_one_poller(ann):
    task = make_task(State.IN_PROGRESS, ann.user)
    make_post(ann.user)
    for path in ("/", "/tasks", f"/tasks/{task.id}", "/tasks/new", "/tasks/new/countdown", "/people/ann", "/settings"):
        page = ann.get(path)
        assert page.one("#live")["hx-get"].split("?")[0] == "/live"
        assert page.one("#live")["hx-swap"] == "none"
        for target in ("#message-badge", "#task-alerts", "#status"):
            assert page.one(target)


def test_a_visitor_has_nothing_to_poll(visitor):
    for path in ("/", "/login", "/register"):
        assert not visitor.get(path).page.select("#live, [hx-trigger^=every]")


def test_no_id_is_on_a_page_twice(ann):
    for state in State:
        make_artifact(make_task(state, ann.user))
    make_post(ann.user)
    task = Task.select().first()
    for path in ("/", "/tasks", f"/tasks/{task.id}", "/tasks/new/export_posts", "/people/ann", "/settings"):
        ids = [tag["id"] for tag in ann.get(path).page.select("[id]")]
        assert len(ids) == len(set(ids)), path


def test_a_page_that_shows_a_task_has_no_alert_of_it(ann):
    shown, other = make_task(State.IN_PROGRESS, ann.user), make_task(State.SUCCEEDED, ann.user)
    page = ann.get(f"/tasks/{shown.id}")
    alerts = {alert["id"] for alert in page.page.select("#task-alerts [data-state]")}
    assert alerts == {f"task-{other.id}"}
    live = ann.get(page.one("#live")["hx-get"], headers=HTMX)
    assert {alert["id"] for alert in live.page.select("[data-state]")} == alerts
    assert not ann.get("/tasks").page.select("#task-alerts [data-state]"), "nor does the list, which shows them all"


@pytest.mark.parametrize("on", ["x", "tasks'--", "7", "00000000-0000-4000-8000-000000000000", "<script>"])
def test_a_poll_that_names_no_page_of_ours_gets_all_alerts(ann, on):
    task = make_task(State.IN_PROGRESS, ann.user)
    live = ann.get("/live", query_string={"on": on}, headers=HTMX)
    assert live.status_code == 200
    assert live.one(f"#task-{task.id}")
    assert "<script>" not in live.text


def test_alerts_show_what_moves_then_what_waits_then_what_has_ended_then_what_is_for_later(ann):
    states = [State.SCHEDULED, State.FAILED, State.PAUSED, State.PENDING, State.PAUSING]
    for state in states:
        make_task(state, ann.user)
        Task.update(created_at=utcnow()).where(Task.state == state).execute()
    alerts = [alert["data-state"] for alert in ann.get("/").page.select("#task-alerts [data-state]")]
    assert alerts == [State.PAUSING, State.PENDING, State.PAUSED, State.FAILED, State.SCHEDULED]


def test_alerts_show_what_is_under_way_first_and_count_the_rest(ann):
    finished = [make_task(State.SUCCEEDED, ann.user) for _ in range(6)]
    active = make_task(State.IN_PROGRESS, ann.user)
    page = ann.get("/")
    alerts = [alert["id"] for alert in page.page.select("#task-alerts [data-state]")]
    assert alerts[0] == f"task-{active.id}"
    assert len(alerts) == 5
    assert "and 2 more" in page.one("#task-alerts").get_text(" ")
    finished[0].dismiss()
    assert "and 1 more" in ann.get("/").one("#task-alerts").get_text(" ")


def test_the_count_of_the_rest_leaves_out_what_the_page_itself_shows(ann):
    tasks = [make_task(State.IN_PROGRESS, ann.user) for _ in range(8)]
    for task in (tasks[0], tasks[-1]):
        page = ann.get(f"/tasks/{task.id}")
        assert len(page.page.select("#task-alerts [data-state]")) == 5
        assert "and 2 more" in page.one("#task-alerts").get_text(" ")


def test_the_latest_outcome_is_the_one_that_is_said(ann):
    finished, running = make_task(State.SUCCEEDED, ann.user), make_task(State.IN_PROGRESS, ann.user, title="The next")
    assert ann.get("/").one("#status").text == f"{finished.title} is finished."
    running.fail("It broke.")
    assert ann.get("/").one("#status").text == "The next has failed."
    running.retry()
    assert ann.get("/").one("#status").text == f"{finished.title} is finished."


@pytest.mark.parametrize("path", ["/", "/tasks", "/tasks/{id}"])
@pytest.mark.parametrize("state", State)
def test_what_should_soon_move_is_looked_at_once_more_than_the_rest(ann, path, state):
    task = make_task(state, ann.user)
    page = ann.get(path.format(id=task.id))
    looks = [
        look
        for look in page.page.select('[hx-trigger^="load delay"]')
        if look["hx-get"].startswith(("/live", "/tasks"))
    ]
    soon = {State.PAUSING, State.CANCELING} | (set() if path == "/tasks" else {State.PENDING})
    assert len(looks) == (state in soon)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.SCHEDULED, "1 under way."),
        (State.IN_PROGRESS, "1 under way."),
        (State.PAUSED, "Count down from 40 is paused."),
        (State.RETRYING, "Count down from 40 did not work, and will be tried again."),
        (State.SUCCEEDED, "Count down from 40 is finished."),
        (State.FAILED, "Count down from 40 has failed."),
        (State.CANCELED, "Count down from 40 was canceled."),
    ],
)
def test_one_sentence_is_said_to_who_cannot_see(ann, state, words):
    make_task(state, ann.user)
    assert ann.get("/").one("#status[role=status]").text == words


def test_unread_messages_are_counted_in_the_badge(ann):
    assert ann.get("/").one("#message-badge").has_attr("hidden")
    make_unread_messages(ann.user, 3)
    badge = ann.get("/").one("#message-badge")
    assert not badge.has_attr("hidden")
    assert badge.get_text(" ").split() == ["3", "unread"]
