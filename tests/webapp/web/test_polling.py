"""One file, two readers: what a page shows at load is what the poll brings, for every state; and polls end."""

import re
import sys
from datetime import timedelta

import pytest

from tasks.engine.models.state import ACTIVE, FINISHED, LEASED
from tests.browsing import browse
from tests.webapp.web.site import HTMX, is_of_desk
from webapp.dev.desk_factories import make_staff, make_worker
from webapp.dev.factories import (
    make_artifact,
    make_draft,
    make_mailing,
    make_message,
    make_post,
    make_task,
    make_unread_messages,
    make_user,
)
from webapp.lib.times import utcnow
from webapp.models import State, Task
from webapp.models.permissions import Role
from webapp.web.polling import POLLED_FRAGMENTS


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
def test_a_tasks_card_has_the_same_as_its_panel_in_short(ann, state):
    task = _task(state, ann.user)
    card = ann.get(f"/tasks/{task.id}/_card", headers=HTMX).one(f"article#task-{task.id}")
    panel = ann.get(f"/tasks/{task.id}/_panel", headers=HTMX).one("article")
    # Its own page asks more often.
    assert (card["data-state"], card["hx-trigger"]) == (state, panel["hx-trigger"].replace("every 2s", "every 5s"))
    assert card["hx-get"] == f"/tasks/{task.id}/_card"
    for part in ("progress", ".words", ".artifacts a", ".actions button", '[hx-trigger^="load delay"]'):
        assert len(card.select(part)) == len(panel.select(part)), part
    assert ann.get("/tasks/00000000-0000-4000-8000-000000000000/_card", headers=HTMX).status_code == 404


@pytest.mark.parametrize("state", State)
def test_the_list_is_a_verbatim_part_of_its_page(ann, state):
    task = _task(state, ann.user)
    page, part = ann.get("/tasks"), ann.get("/tasks/_list", headers=HTMX)
    assert part.status_code == 200
    assert part.fragment in page.text
    assert page.one(f"#task-{task.id}")
    assert part.one("#task-list").select_one(f"#task-{task.id}")


def test_an_empty_list_is_a_verbatim_part_of_its_page(ann):
    assert ann.get("/tasks/_list", headers=HTMX).fragment in ann.get("/tasks").text


def test_the_second_page_of_the_list_polls_itself_and_not_the_first(ann):
    for _ in range(25):
        make_task(State.IN_PROGRESS, ann.user)
    path = ann.get("/tasks").one('a[rel="next"]')["href"]
    page = ann.get(path)
    part = ann.get(page.one("#task-list")["hx-get"], headers=HTMX)
    assert part.fragment in page.text
    assert len(part.page.select("li[id^=task-]")) == 5


@pytest.mark.parametrize("state", State)
def test_live_answers_with_the_fragments_of_the_page(ann, state):
    task = _task(state, ann.user)
    make_unread_messages(ann.user, 3)
    page, live = ann.get("/"), ann.get("/live", headers=HTMX)
    for partial in live.page.select("hx-partial:not([data-focus-fallback])"):
        target = page.one(partial["hx-target"])
        shown = target.decode() if partial["hx-swap"].startswith("outer") else target.decode_contents()
        assert partial.decode_contents().strip() == shown.strip()
    assert live.page.select_one(f"#task-{task.id}")["data-state"] == state


@pytest.fixture
def pass_time(app, monkeypatch):
    """A function after which it is that much later, for all that asks."""

    def pass_time(**delta: int) -> None:
        def later(now=utcnow):
            return now() + timedelta(**delta)

        for module in [module for name, module in sys.modules.items() if name.startswith(("webapp.", "tasks."))]:
            if getattr(module, "utcnow", None) is utcnow:
                monkeypatch.setattr(module, "utcnow", later)
        monkeypatch.setitem(app.jinja_env.globals, "utcnow", later)

    return pass_time


# The overview is of the last hour, and so has another version each minute.
LASTING = POLLED_FRAGMENTS.keys() - {"desk.overview_fragment"}


def test_nothing_that_is_polled_changes_by_itself(app, ann, pass_time):
    """A poll that finds nothing new gets no answer, so what it would say must be what it said, however late it is.

    But for #status, where what has been said is left out after a while: nobody would see or hear that it is gone.
    """
    for state in State:
        _task(state, ann.user)
    Task.update(run_at=utcnow() + timedelta(hours=3)).where(Task.state == State.RETRYING).execute()
    make_message(make_user("bob"), ann.user)
    make_draft(ann.user)
    make_mailing(ann.user)
    parts = {"task_id": Task.get().id, "username": "bob"}
    with app.test_request_context():
        rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint in LASTING]
        addresses = [rule.build({name: parts[name] for name in rule.arguments})[1] for rule in rules]
    assert len(addresses) == len(LASTING)
    admin = browse(app, make_staff(Role.ADMIN))

    def shown(address: str) -> str:
        return re.sub(
            r'<hx-partial hx-target="#status".*?</hx-partial>',
            "",
            (admin if is_of_desk(address) else ann).get(address, headers=HTMX).text,
            flags=re.S,
        )

    make_worker(lives_until=utcnow() + timedelta(hours=1))
    before = {address: shown(address) for address in addresses}
    pass_time(minutes=50)
    for address in addresses:
        assert before[address]
        assert shown(address) == before[address], address


def test_live_is_partials_and_nothing_else(ann):
    make_task(State.IN_PROGRESS, ann.user)
    live = ann.get("/live", headers=HTMX)
    assert {tag.name for tag in live.page.find_all(recursive=False)} == {"hx-partial"}
    assert {tag["hx-target"] for tag in live.page.select("hx-partial:not([data-focus-fallback])")} == {
        "#session", "#message-badge", "#notice-badge", "#task-alerts", "#status", "#poll-mark",
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
        moving = "every 2s" if element is panel and state in LEASED else "every 5s"
        assert first == (moving if state in ACTIVE else "visibilitychange from:document")


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


def test_a_tasks_page_asks_more_often_while_it_is_worked_on_but_only_for_the_task(ann):
    task = make_task(State.IN_PROGRESS, ann.user)
    page = ann.get(f"/tasks/{task.id}")
    assert [e.get("id") for e in page.page.select('[hx-trigger^="every 2s"]')] == [f"task-{task.id}"]
    assert [e.get("id") for e in page.page.select('[hx-trigger^="every 5s"]')] == ["live"]
    assert not ann.get(page.one("#live")["hx-get"], headers=HTMX).page.select(f"#task-{task.id}"), "one answer has it"


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
    assert "2 more" in page.one("#task-alerts").get_text(" ")
    finished[0].dismiss()
    assert "1 more" in ann.get("/").one("#task-alerts").get_text(" ")


def test_the_count_of_the_rest_leaves_out_what_the_page_itself_shows(ann):
    tasks = [make_task(State.IN_PROGRESS, ann.user) for _ in range(8)]
    for task in (tasks[0], tasks[-1]):
        page = ann.get(f"/tasks/{task.id}")
        assert len(page.page.select("#task-alerts [data-state]")) == 5
        assert "2 more" in page.one("#task-alerts").get_text(" ")


@pytest.mark.parametrize("path", ["/", "/tasks", "/tasks/{id}"])
@pytest.mark.parametrize("state", State)
def test_a_task_that_soon_changes_is_polled_early_once(ann, path, state):
    task = make_task(state, ann.user)
    page = ann.get(path.format(id=task.id))
    looks = [
        look
        for look in page.page.select('[hx-trigger^="load delay"]')
        if look["hx-get"].startswith(("/live", "/tasks"))
    ]
    soon = {State.PAUSING, State.CANCELING} | (set() if path == "/tasks" else {State.PENDING})
    assert len(looks) == (state in soon)


def test_unread_messages_are_counted_in_the_badge(ann):
    assert ann.get("/").one("#message-badge").has_attr("hidden")
    make_unread_messages(ann.user, 3)
    badge = ann.get("/").one("#message-badge")
    assert not badge.has_attr("hidden")
    assert badge.get_text(" ").split() == ["3", "unread"]
