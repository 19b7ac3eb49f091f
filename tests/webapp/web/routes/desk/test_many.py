"""Kinds of many old releases, and more workers than anybody reads: answers stay as small as they were, and say so."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from tasks.engine import registry
from tests.browsing import browse
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import (
    KindControl,
    LineMinute,
    SiteAlert,
    Task,
    TaskHour,
    TaskMinute,
    TaskTotal,
    Worker,
    desk_stats,
    site_health,
    statistics,
)
from webapp.models.statistics import MOST_UNKNOWN, OTHERS
from webapp.models.statistics.counts import floor
from webapp.web.presenters.desk import workers

MANY = 400
NAMES = [f"old_{n:04}" for n in range(MANY)]
LATE = NAMES[-1]
MOST_BYTES = 500_000
ENDED = {"count": 30, "wait_ms": 300, "run_ms": 900, "waits": {3: 20, 5: 10}, "runs": {7: 30}}


@pytest.fixture
def old_kinds(each_database) -> None:
    """Of each of many kinds that no release knows any more some have ended, and one waits since an hour ago."""
    owner, now = make_user(), utcnow()
    ended = [{"kind": name, "outcome": outcome, **ENDED} for name in NAMES for outcome in ("failed", "succeeded")]
    TaskTotal.insert_many(ended).execute()
    for model, ago in ((TaskMinute, 4 * TaskMinute.span), (TaskHour, timedelta(days=2))):
        model.insert_many([row | {"at": floor(now - ago, model.span)} for row in ended]).execute()
    statistics.roll_up(now)
    then = now - timedelta(hours=1)
    waiting = {"user": owner.id, "state": "pending", "arguments": {}, "ready_at": then, "created_at": then}
    Task.insert_many(
        waiting | {"id": uuid4(), "name": name, "title": name, "queue_key": n, "updated_at": then}
        for n, name in enumerate(NAMES)
    ).execute()


@pytest.fixture
def operator(each_database):
    return browse(each_database, make_staff())


def test_the_line_names_some_and_has_all_others_in_one(old_kinds, queries):
    with queries() as asked:
        lines = statistics.lines()
    assert asked.count <= MOST_UNKNOWN + 4
    assert [*lines] == [*NAMES[:MOST_UNKNOWN], OTHERS]
    assert lines[OTHERS].waiting == MANY - MOST_UNKNOWN
    assert statistics.total(lines).waiting == MANY
    assert lines[OTHERS].oldest_wait >= 3600
    assert statistics.lines(also=[LATE])[LATE].waiting == 1


def test_what_this_release_knows_keeps_its_name_whatever_others_are_called(old_kinds):
    kinds = {*NAMES, "zzz", *registry.functions}
    assert statistics.named(kinds) == {*NAMES[:MOST_UNKNOWN], *registry.functions}
    assert sum(numbers.failed for numbers in statistics.by_kind(utcnow() - timedelta(hours=1)).values()) == 30 * MANY


@pytest.mark.parametrize("path", ["/desk", "/desk/kinds", "/desk/kinds?range=7d", "/desk/tasks", f"/desk/kinds/{LATE}"])
def test_pages_stay_small(old_kinds, operator, queries, path):
    with queries() as asked:
        answer = operator.get(path)
    assert answer.status_code == 200
    assert len(answer.data) < MOST_BYTES
    assert asked.count <= MOST_UNKNOWN + 40


def test_the_page_of_kinds_says_what_it_leaves_out(old_kinds, operator):
    answer = operator.get("/desk/kinds")
    rows = answer.page.select("table.kinds tbody tr")
    assert len(rows) == len(registry.functions) + MOST_UNKNOWN + 1
    assert rows[-1].th.get_text(" ", strip=True).startswith("All other kinds")
    assert f"Of the kinds that this release doesn’t know, {MOST_UNKNOWN} are listed" in answer.words
    assert operator.get(f"/desk/kinds/{OTHERS}").status_code == 404
    assert operator.submit(f"/desk/kinds/{OTHERS}/pause", length="3600", reason="x").status_code == 404


def test_a_kind_that_is_left_out_is_paused_all_the_same(old_kinds, operator):
    pause = {"length": "1h", "reason": "Nobody knows it."}
    operator.submit(f"/desk/kinds/{LATE}/pause", **pause)
    assert [control.name for control in KindControl.all()] == [LATE]
    assert Task.claim(timedelta(seconds=9)).name == NAMES[0]


def test_metrics_are_of_some_kinds_and_of_all_others_together(old_kinds, each_database, queries):
    each_database.config["SETTINGS"] = replace(each_database.config["SETTINGS"], metrics_token="t" * 20)
    KindControl.pause(LATE, utcnow() + timedelta(hours=1), "Nobody knows it.")
    with queries() as asked:
        text = each_database.test_client().get("/metrics", headers={"Authorization": f"Bearer {'t' * 20}"}).text
    assert asked.count <= MOST_UNKNOWN + 14
    assert len(text) < MOST_BYTES
    samples = [sample for family in parse(text) for sample in family.samples]
    kinds = {sample.labels["kind"] for sample in samples if "kind" in sample.labels}
    assert kinds == {*registry.functions, *NAMES[:MOST_UNKNOWN], OTHERS}
    found = {(each.name, each.labels.get("kind"), each.labels.get("outcome")): each.value for each in samples}
    others = MANY - MOST_UNKNOWN
    assert found["errand_tasks_finished_total", OTHERS, "failed"] == 30 * others
    assert found["errand_task_wait_seconds_count", OTHERS, None] == 60 * others
    assert found["errand_tasks_waiting", OTHERS, None] == others
    assert found["errand_kind_paused", OTHERS, None] == 1


def test_alerts_are_of_some_kinds_and_of_all_others_together(old_kinds, operator, queries):
    now = utcnow()
    statistics.sample(now)
    assert LineMinute.select().count() == MOST_UNKNOWN + 2
    with queries() as asked:
        site_health.look(False, now)
    assert asked.count <= 2 * MOST_UNKNOWN + 20
    site_health.look(False, now + timedelta(minutes=1))
    assert SiteAlert.select().count() <= 2 * (MOST_UNKNOWN + 1) + 2
    page = operator.get("/desk").page
    assert len(page.select("#alerts li")) == 20
    more = len(SiteAlert.firing()) - 20
    assert f"And {more} more, which began later." in page.select_one("#alerts").get_text()


def test_commands_say_what_they_leave_out(old_kinds, each_database, monkeypatch):
    monkeypatch.setattr(desk_stats, "MOST_KINDS", 100)
    run = each_database.test_cli_runner().invoke
    stats = run(args=["tasks", "stats"])
    assert len(stats.stdout.splitlines()) == 1 + 100
    assert stats.stderr == f"{MANY - 100} more kinds are not told, the last by name\n"
    kinds = run(args=["kinds", "list"]).stdout.splitlines()
    assert len(kinds) == len(registry.functions) + MOST_UNKNOWN + 1
    assert kinds[-1].startswith(f"{OTHERS}  {MANY - MOST_UNKNOWN} waiting")


def test_of_very_many_workers_the_first_are_told(operator, each_database, queries, monkeypatch):
    monkeypatch.setattr(workers, "MOST", 20)
    now = utcnow()
    alive = {"pid": 1, "processes": 2, "lives_until": now + timedelta(minutes=1), "release": "r", "memory": 1}
    Worker.insert_many(alive | {"token": f"t{n}", "host": f"h{n:03}"} for n in range(50)).execute()
    with queries() as asked:
        answer = operator.get("/desk/workers")
    assert len(answer.page.select("#workers tbody tr")) == 20
    assert "Only the first 20 are told, by host and process." in answer.words
    assert asked.count <= 14
    listed = each_database.test_cli_runner().invoke(args=["workers", "list"])
    assert (len(listed.stdout.splitlines()), listed.stderr) == (
        20,
        "Only the first 20 are told, by host and process.\n",
    )
