"""Polls: nothing new costs one query, news come whole, and a lost session is told."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from tasks.engine.models.state import Group
from tasks.engine.models.waiting_users import notify_waiting_users
from tests.browsing import browse, words
from webapp.db import database
from webapp.dev.factories import PASSWORD, make_notification, make_task, make_unread_messages, make_user
from webapp.lib.times import utcnow
from webapp.models import Composition, Notification, State, Task, User

HTMX = {"HX-Request": "true"}


@pytest.fixture(params=["/live", "/live?on={id}", "/tasks/_list", "/tasks/{id}/_panel"])
def path(request, ann):
    """Each path that pages poll."""
    task = make_task(State.IN_PROGRESS, ann.user)
    return request.param.format(id=task.id)


def _known(answer) -> dict[str, str]:
    return HTMX | {"If-None-Match": answer.headers["ETag"]}


def test_nothing_new_costs_one_query_and_no_write(ann, path, queries):
    first = ann.get(path, headers=HTMX)
    assert first.status_code == 200
    with queries() as seen:
        answer = ann.get(path, headers=_known(first))
    assert answer.status_code == 304
    assert answer.data == b""
    [query] = seen.get_queries()
    assert query.msg[0].startswith("SELECT")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["ETag"] == first.headers["ETag"]


def test_news_come_whole_and_only_once(ann, path):
    known = _known(ann.get(path, headers=HTMX))
    task = Task.get()
    task.advance(30, 40, "Further on")
    answer = ann.get(path, headers=known)
    assert answer.status_code == 200
    if "on=" not in path:
        assert "Further on" in answer.text
    assert ann.get(path, headers=_known(answer)).status_code == 304


CHANGES = {
    "progress": lambda task: task.advance(13, 40, "on"),
    "cancel": lambda task: task.cancel(),
    "pause": lambda task: task.pause(),
    "a rest": lambda task: (task.pause(), task.acknowledge_stop()),
    "another attempt": lambda task: task.retry_later(30, "It broke."),
    "a retry": lambda task: (task.fail("It broke."), task.retry()),
    "the deletion": lambda task: (task.fail("It broke."), task.remove()),
    "a schedule": lambda task: Task.start(task.user, "countdown", "Later", {}, run_at=utcnow() + timedelta(hours=1)),
    "the end": lambda task: task.succeed(),
    "a dismissal": lambda task: (task.fail("It broke."), task.dismiss()),
    "another task": lambda task: Task.start(task.user, "countdown", "Another", {}),
    "a message": lambda task: make_unread_messages(task.user, 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_everything_that_a_page_shows_live_is_news(ann, change):
    task = make_task(State.IN_PROGRESS, ann.user)
    first = ann.get("/live", headers=HTMX)
    CHANGES[change](task)
    answer = ann.get("/live", headers=_known(first))
    assert answer.status_code == 200
    assert answer.text != first.text


def test_a_place_in_line_and_a_coming_attempt_are_news_whenever_the_sweeper_says_so(ann, bob):
    make_task(State.SUCCEEDED, bob.user, run_seconds=600.0)
    first = make_task(State.PENDING, bob.user, queue_key=0)
    waiting = make_task(State.PENDING, ann.user, queue_key=1)
    soon = make_task(State.RETRYING, ann.user, run_at=utcnow() + timedelta(seconds=31))
    before = ann.get("/live", headers=HTMX)
    assert "1 task ahead" in before.one(f"#task-{waiting.id}").text
    assert "in 30 seconds" in before.one(f"#task-{soon.id}").text
    first.cancel()
    Task.update(run_at=utcnow() + timedelta(seconds=21)).where(Task.id == soon.id).execute()
    assert ann.get("/live", headers=_known(before)).status_code == 304, "nothing of hers has moved"
    notify_waiting_users(timedelta(seconds=90), moved=True)
    after = ann.get("/live", headers=_known(before))
    assert "Waiting for a free worker" in after.one(f"#task-{waiting.id}").text
    assert "in 20 seconds" in after.one(f"#task-{soon.id}").text


def test_progress_of_a_child_changes_the_panel_of_its_parent(ann):
    parent = make_task(State.IN_PROGRESS, ann.user, composition=Composition.GROUP, fencing_token=None)
    part, path = make_task(State.IN_PROGRESS, ann.user, parent=parent, root=parent), f"/tasks/{parent.id}/_panel"
    known = _known(ann.get(path, headers=HTMX))
    part.advance(13, 40, "Further on")
    news = ann.get(path, headers=known)
    assert news.status_code == 200
    assert "Further on" in news.one(f"#task-{part.id}").text


def test_however_much_is_under_way_news_cost_no_more_queries(ann, queries):
    def cost(path: str) -> int:
        with queries() as seen:
            assert ann.get(path, headers=HTMX).status_code == 200
        return seen.count

    for state in [*State] * 2:  # more than a page of them
        make_task(state, ann.user)
    few = {path: cost(path) for path in ("/live", "/tasks/_list")}
    for state in [*State] * 4:
        make_task(state, ann.user)
    assert all(cost(path) <= few[path] for path in few)
    assert max(few.values()) <= 8


def test_live_is_unchanged_by_tasks_of_others(ann, bob):
    known = _known(ann.get("/live", headers=HTMX))
    make_task(State.PENDING, bob.user).cancel()
    assert ann.get("/live", headers=known).status_code == 304


def test_one_persons_version_is_nothing_to_another(app, ann, bob):
    assert ann.user.changes == bob.user.changes
    answer = bob.get("/live", headers=_known(ann.get("/live", headers=HTMX)))
    assert answer.status_code == 200


def test_the_same_moment_reads_the_same(ann):
    """A poll that renders again brings the same, byte for byte, so that nothing on the page moves."""
    for state in State:
        make_task(state, ann.user)
    assert ann.get("/live", headers=HTMX).data == ann.get("/live", headers=HTMX).data


def test_a_poll_is_kept_by_no_cache_for_another(ann, path):
    answer = ann.get(path, headers=HTMX)
    assert "private" in answer.headers["Cache-Control"]
    assert "Cookie" in answer.headers["Vary"]


# In which order


def _titles(answer, selector: str) -> list[str]:
    return [title.text for title in answer.page.select(f"{selector} .title")]


def test_alerts_show_what_runs_then_what_is_next_in_line_the_oldest_first_then_the_latest_ends(ann):
    now, minute = utcnow(), timedelta(minutes=1)
    make_task(State.SUCCEEDED, ann.user, title="ended early", created_at=now, finished_at=now - 9 * minute)
    make_task(State.FAILED, ann.user, title="ended late", created_at=now - 60 * minute, finished_at=now)
    make_task(State.SCHEDULED, ann.user, title="tomorrow")
    for number in (2, 0, 1):
        make_task(State.PENDING, ann.user, title=f"next {number}", queue_key=number, created_at=now - 5 * minute)
    assert _titles(ann.get("/"), "#task-alerts") == ["next 0", "next 1", "next 2", "ended late", "ended early"]
    make_task(State.IN_PROGRESS, ann.user, title="runs since long", created_at=now - 50 * minute)
    make_task(State.CANCELING, ann.user, title="runs", created_at=now - minute)
    make_task(State.PAUSED, ann.user, title="rests")
    answer = ann.get("/")
    assert _titles(answer, "#task-alerts") == ["runs since long", "runs", "next 0", "next 1", "next 2"]
    assert "4 more" in answer.words


def test_of_many_that_wait_those_that_are_next_are_shown(ann):
    for number in range(8):
        Task.start(ann.user, "countdown", f"T{number}", {})
    assert _titles(ann.get("/"), "#task-alerts") == [f"T{number}" for number in range(5)]


@pytest.mark.parametrize(
    "address", ["/live", "/tasks", "/tasks?name=countdown", *(f"/tasks?state={group}" for group in Group)]
)
def test_a_page_costs_the_same_however_many_tasks_there_are(ann, queries, address):
    """By index: neither to find the latest few nor to count them is anything sorted, or looked at that is not shown."""
    for state in State:
        for _ in range(6):
            make_task(state, ann.user)
    with queries() as seen:
        ann.get(f"{address}{'&' if '?' in address else '?'}before=2999-01-01T00:00:00_{uuid4()}")
    asked = [query.msg for query in seen.get_queries() if '"user_id" = ?' in query.msg[0] and '"tasks"' in query.msg[0]]
    assert len(asked) >= 2
    for sql, params in asked:
        plan = [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()]
        assert not any("TEMP B-TREE" in line or re.match("SCAN t[0-9]", line) for line in plan), (sql, plan)


def test_badges_end_where_counting_does(ann, monkeypatch):
    for module in ("models.counting", "web.presenters.counts"):
        monkeypatch.setattr(f"webapp.{module}.MOST_COUNTED", 2)
    make_unread_messages(ann.user, 7)
    for said in ("1 new", "2 new", "2+ new", "2+ new"):
        make_notification(ann.user)
        assert words(ann.get("/live").one("#notice-badge")) == said
    assert words(ann.get("/live").one("#message-badge")) == "2+ unread"
    assert ann.get("/").one("title").text.startswith("(2+) ")


def test_what_is_unread_is_found_however_much_has_been_read(ann, queries):
    """By its own index: what was told and read, perhaps over years, is not gone through on each page."""
    with queries() as seen:
        ann.get("/")
        ann.get("/notifications")
        Notification.read(ann.user)
    asked = [query.msg for query in seen.get_queries() if '"read_at" IS NULL' in query.msg[0]]
    assert len(asked) == 4  # the badge of both pages, the button, and what that does
    for sql, params in asked:
        plan = " ".join(row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall())
        assert "notifications_unread" in plan, sql
        assert not re.search(r"notifications_(told|feed)|SCAN notifications|SCAN t\d", plan), (sql, plan)


# Without a session


def _notice(answer):
    """What a page is told by the answer to a poll, as it stays where it is."""
    assert (answer.status_code, answer.headers["Cache-Control"]) == (401, "no-store")
    assert not {"HX-Redirect", "HX-Refresh", "HX-Location"} & {name for name, _ in answer.headers}
    return answer.one("hx-partial[hx-target='#session']")


def test_a_poll_without_a_session_says_so_and_leaves_the_page_alone(visitor):
    headers = HTMX | {"HX-Current-URL": "http://localhost/people/ann?before=x"}
    notice = _notice(visitor.get("/live", headers=headers))
    assert "You’re signed out. What you typed is still here." in notice.text
    assert [link["href"] for link in notice.select("a")] == ["/login", "/login?next=/people/ann?before%3Dx"]
    assert notice.a["target"] == "_blank"


def test_a_poll_of_a_session_that_was_ended_elsewhere_says_so(app, ann, path):
    known = _known(ann.get(path, headers=HTMX))
    ann.user.set_password("a new password")
    assert "You’re signed out." in _notice(ann.get(path, headers=known)).text


def test_a_poll_of_a_page_that_somebody_else_was_shown_brings_nothing_of_ones_own(ann, bob, path):
    page = {"X-Page-Of": str(bob.user.id)}
    notice = _notice(ann.get(path, headers=HTMX | page | {"HX-Current-URL": "http://localhost/mail"}))
    assert "You’re signed in as ann now" in notice.text
    assert notice.a["href"] == "/mail"
    mine = ann.get(path, headers=HTMX | {"X-Page-Of": str(ann.user.id)})
    assert mine.status_code == 200
    if path == "/live":
        assert mine.one("hx-partial[hx-target='#session']").text == "", "a notice of before goes"


def test_a_deleted_account_is_signed_out(app):
    browser = browse(app, user := make_user())
    known = _known(browser.get("/live", headers=HTMX))
    User.delete().where(User.id == user.id).execute()
    assert browser.get("/live", headers=known).status_code == 401
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/live", "/tasks/_list"])
def test_without_htmx_the_sign_in_page_is_a_redirect(visitor, path):
    answer = visitor.get(path)
    assert (answer.status_code, answer.location) == (303, f"/login?next={path}")


def test_a_hostile_address_of_the_page_does_not_lead_out_of_the_site(visitor):
    answer = visitor.get("/live", headers=HTMX | {"HX-Current-URL": "https://evil.example//evil.example/x"})
    target = _notice(answer).select("a")[1]["href"]
    assert target.startswith("/login")
    make_user("ann")
    query = target.partition("?")[2]
    signed_in = visitor.submit(f"/login?{query}", username="ann", password=PASSWORD)
    assert signed_in.location == "/"
