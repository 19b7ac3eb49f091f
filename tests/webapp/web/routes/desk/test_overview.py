"""The first page of the desk: how the site is doing, and at what cost."""

from datetime import timedelta

import pytest

from tasks.engine.models import Leader
from tasks.engine.models.kind_control import KindControl
from tests.browsing import browse, words
from webapp.dev.desk_factories import make_staff, make_worker
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import SiteAlert, State, TaskMinute, Worker, statistics
from webapp.models.permissions import Role
from webapp.models.statistics import RANGES, Range
from webapp.web.presenters.desk import overview

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HTMX = {"HX-Request": "true"}
MOST_QUERIES, MOST_OF_UNCHANGED = 20, 14


@pytest.fixture
def viewer(app):
    """Somebody who may look, with a browser."""
    return browse(app, make_staff(Role.VIEWER))


@pytest.fixture
def end():
    """Lets a task of one person end, so many minutes ago."""
    user = make_user()

    def ends(minutes: float, outcome: State = State.SUCCEEDED, **fields):
        at = utcnow() - minutes * MINUTE
        times = {"ready_at": at - 3 * MINUTE, "started_at": at - 2 * MINUTE, "finished_at": at, "run_seconds": 120}
        return make_task(outcome, user, **times | fields)

    return ends


def _figures(page) -> dict[str, str]:
    return {words(figure.dt): words(figure.dd) for figure in page.select(".figure")}


def test_it_says_what_waits_runs_and_failed(viewer, end):
    make_task(State.PENDING, ready_at=utcnow() - 4.5 * MINUTE)
    make_task(State.IN_PROGRESS)
    Worker.heartbeat("token", "here", 7, 3, MINUTE)
    Leader.hold("sweeper", "token", MINUTE)
    end(5), end(5), end(6, State.FAILED), end(70, State.FAILED)
    statistics.roll_up()
    found = _figures(viewer.get("/desk").page)
    assert found["Waiting"].startswith("1")
    assert found["Oldest wait"].startswith("4 min")
    assert found["Running"] == "1 of 3 1 worker"
    assert found["Failed in the last hour"] == "1 of 3 that ended"
    assert found["Sweeper"] == "Works here:7"


def test_it_says_when_no_worker_takes_tasks(viewer):
    make_worker(quiet_at=utcnow())
    page = viewer.get("/desk").page
    assert _figures(page)["Running"] == "0 of 0 No worker takes tasks"


def test_it_says_which_kinds_are_paused_and_how_many_workers_are_quiet(viewer, monkeypatch):
    monkeypatch.setattr(overview, "MOST_PAUSED", 2)
    make_worker(), make_worker(quiet_at=utcnow())
    seen = viewer.get("/desk/_overview", headers=HTMX)
    assert _held(seen) == [("1 worker is quiet", "/desk/workers")]
    until = utcnow() + 2 * HOUR
    for name in ("export_posts", "countdown", "count_words", "send_mail"):
        KindControl.pause(name, until)
    held = _held(viewer.get("/desk/_overview", headers=HTMX | {"If-None-Match": seen.headers["ETag"]}))
    assert [link for _, link in held] == [
        "/desk/kinds/count_words",
        "/desk/kinds/countdown",
        "/desk/kinds",
        "/desk/workers",
    ]
    assert held[1][0].startswith("Countdown is paused until ")
    assert held[2][0] == "and 2 more"


def _held(answer) -> list[tuple[str, str]]:
    return [(words(item), item.a["href"]) for item in answer.page.select("#held li")]


def test_nobody_keeps_up_with_what_is_held_or_without_workers(viewer, end):
    def pace() -> str:
        return _figures(viewer.get("/desk").page)["Oldest wait"].partition(" min ")[2]

    worker = make_worker(lives_until=utcnow() + HOUR)
    end(5)
    statistics.roll_up()
    assert not viewer.get("/desk").page.select("#held")
    make_task(State.PENDING)
    assert pace() == "The workers keep up"
    KindControl.pause("countdown", utcnow() + HOUR)
    assert pace() == "All that waits is held"
    KindControl.resume("countdown")
    KindControl.limit("countdown", running=1)
    make_task(State.IN_PROGRESS)
    assert pace() == "All that waits is held"
    KindControl.limit("countdown")
    Worker.update(quiet_at=utcnow()).where(Worker.token == worker.token).execute()
    assert pace() == "Nothing is started"


def test_the_charts_say_what_their_numbers_are(viewer, end):
    end(5), end(6), end(7, State.FAILED)
    statistics.roll_up()
    page = viewer.get("/desk").page
    assert words(page.select_one("#chart-ended .key")) == "finished in all 2 canceled in all 0 failed in all 1"
    assert words(page.select_one("#chart-busy .key")).startswith("average latest ")
    assert "Charts until" in _figures(page)


def test_it_says_when_nobody_sweeps(viewer):
    assert _figures(viewer.get("/desk").page)["Sweeper"].startswith("None")


def test_it_says_how_many_slots_would_do(viewer, end):
    Worker.heartbeat("token", "here", 7, 1, MINUTE)
    end(5)
    statistics.roll_up()
    for _ in range(10):
        make_task(State.PENDING)
    # Ten times two minutes, within five.
    assert "4 slots would start all that waits within 5 minutes" in viewer.get("/desk").words


def test_the_kinds_that_fail_most_come_first_with_a_link_to_what_failed(viewer, end):
    end(5, State.FAILED, name="mail_messages", hidden=True)
    end(5, State.FAILED, name="countdown")
    end(6, State.FAILED, name="countdown")
    end(6, name="countdown")
    end(6, name="send_mail")
    statistics.roll_up()
    rows = viewer.get("/desk").page.select(".failing tbody tr")
    assert [words(row.th) for row in rows] == ["Countdown", "Mail messages internal"]
    assert [words(cell) for cell in rows[0].select("td")][:2] == ["2", "67%"]
    assert rows[0].th.a["href"] == "/desk/kinds/countdown"
    link = rows[0].select_one("td a")["href"]
    assert link.startswith("/desk/tasks?state=failed&kind=countdown&ended_after=")
    heads = [words(head) for head in viewer.get("/desk").page.select(".failing thead th")]
    assert heads[3:] == ["Wait p50", "Wait p95", "Run p50", "Run p95"]


def test_where_what_failed_was_retried_its_list_leads_to_all_that_ended_then(viewer, end):
    task = end(5, State.FAILED, name="countdown")
    statistics.roll_up()
    page = viewer.get("/desk").page
    assert "retried tasks stay counted" in words(page.select_one(".failing"))
    task.retry()
    link = page.select_one(".failing td a")["href"]
    empty = viewer.get(link, follow_redirects=True).page.select_one("#desk-tasks")
    assert "They may have been retried since" in words(empty)
    all_that_ended = empty.select_one(".hint:not(#asked) a")["href"]
    assert "state=" not in all_that_ended
    assert "ended_after=" in all_that_ended
    every = viewer.get("/desk/tasks?state=finished&ended_after=2099-01-01T00:00Z", follow_redirects=True)
    assert "They may have been retried since." in every.words
    for other in ("state=failed", "state=canceled&ended_after=2026-01-01T00:00Z", "ended_after=2099-01-01T00:00Z"):
        answer = viewer.get(f"/desk/tasks?{other}", follow_redirects=True)
        assert "They may have been retried since" not in answer.words


@pytest.mark.parametrize("which", list(Range))
def test_each_range_has_its_charts(viewer, end, which):
    end(5), end(80), end(2 * 24 * 60)
    while not statistics.roll_up():
        pass
    statistics.sample()
    page = viewer.get(f"/desk?range={which.value}").page
    assert len(page.select("figure.chart")) == 6
    assert all(len(chart.select("tbody tr")) <= 120 for chart in page.select("figure.chart"))
    counted = [sum(int(n) for n in words(row).split()[-3:] if n != "–") for row in page.select("#chart-ended tbody tr")]
    inside = [age for age in (5 * MINUTE, 80 * MINUTE, 48 * HOUR) if age < RANGES[which].length]
    assert sum(counted) == len(inside)


def test_a_range_that_does_not_exist_is_not_found(viewer):
    assert viewer.get("/desk?range=2y").status_code == 404


def test_an_alert_that_fires_stands_above_all(viewer):
    now = utcnow()
    SiteAlert.create(key="no worker", rule="no worker", minute=now, since=now, fired_at=now, value=1, allowed=0)
    assert "1 alert" in viewer.get("/desk").words


def test_an_unchanged_poll_is_answered_by_304_at_the_cost_of_some_small_queries(viewer, end, queries):
    end(5)
    statistics.roll_up()
    first = viewer.get("/desk/_overview", headers=HTMX)
    with queries() as asked:
        again = viewer.get("/desk/_overview", headers=HTMX | {"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert asked.count <= MOST_OF_UNCHANGED
    make_task(State.IN_PROGRESS)
    changed = viewer.get("/desk/_overview", headers=HTMX | {"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_only_the_last_hour_is_polled(viewer):
    assert viewer.get("/desk").page.select_one("#overview")["hx-get"] == "/desk/_overview"
    assert not viewer.get("/desk?range=24h").page.select_one("#overview").has_attr("hx-get")


def test_the_fragment_is_that_of_the_page(viewer, end):
    end(5)
    statistics.roll_up()
    fragment = viewer.get("/desk/_overview", headers=HTMX).page
    assert str(fragment.select_one("#overview")) == str(viewer.get("/desk").page.select_one("#overview"))


@pytest.mark.parametrize("which", list(Range))
def test_it_costs_a_few_queries_however_much_there_is(viewer, end, queries, which):
    def cost() -> int:
        with queries() as asked:
            assert viewer.get(f"/desk?range={which.value}").status_code == 200
        return asked.count

    end(5), make_task(State.PENDING)
    statistics.roll_up()
    cost()
    before = cost()
    for n in range(40):
        end(5 + n), make_task(State.PENDING), make_task(State.IN_PROGRESS)
    statistics.roll_up()
    assert cost() == before <= MOST_QUERIES


def test_a_gap_is_where_nobody_looked(viewer):
    TaskMinute.delete().execute()
    assert "Nothing is known yet." in viewer.get("/desk").text
