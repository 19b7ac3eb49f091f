"""/metrics: who may read it, and that Prometheus gets the numbers of the tasks, from whichever process."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from tasks.engine.models import Leader
from tests.browsing import browse
from tests.processes import ROOT
from webapp.app import create_app
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import KindControl, State, Worker, statistics

TOKEN = "token-of-prometheus"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
MOST_QUERIES = 12


@pytest.fixture
def open_site(app, settings):
    """A site with a token."""
    return create_app(replace(settings, metrics_token=TOKEN))


@pytest.fixture
def scrape(open_site):
    """A function that reads all samples, as another process would: by name and labels."""

    def read() -> dict[tuple[str, frozenset], float]:
        open_site.extensions.pop("errand metrics", None)
        text = open_site.test_client().get("/metrics", headers=HEADERS).text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in parse(text)
            for sample in family.samples
        }

    return read


def _key(name: str, **labels: str) -> tuple[str, frozenset]:
    return name, frozenset(labels.items())


def _count(*, ended: int = 0) -> None:
    """Let so many tasks end, and all be final."""
    at = utcnow() - timedelta(minutes=10)
    for n in range(ended):
        started = at - timedelta(seconds=2)
        times = {"ready_at": started - timedelta(seconds=n), "started_at": started, "finished_at": at}
        make_task(State.FAILED if n % 4 == 3 else State.SUCCEEDED, run_seconds=2, **times)
    statistics.roll_up()


def test_without_a_token_in_the_settings_there_is_no_such_page(app):
    assert app.test_client().get("/metrics", headers=HEADERS).status_code == 404


@pytest.mark.parametrize("said", ["", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer tökén", "Bearer"])
def test_without_the_token_it_answers_401(open_site, said):
    answer = open_site.test_client().get("/metrics", headers={"Authorization": said.encode().decode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_who_guesses_is_refused_after_a_while(open_site):
    client = open_site.test_client()
    statuses = [client.get("/metrics", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(25)]
    assert statuses == [401] * 20 + [429] * 5
    assert client.get("/metrics", headers=HEADERS).status_code == 200


def test_a_session_lets_nobody_in(open_site, ann):
    assert browse(open_site, ann.user).get("/metrics").status_code == 401


def test_what_ended_is_counted_by_kind_and_outcome(scrape):
    _count(ended=8)
    found = scrape()
    assert found[_key("errand_tasks_finished_total", kind="countdown", outcome="succeeded")] == 6
    assert found[_key("errand_tasks_finished_total", kind="countdown", outcome="failed")] == 2
    assert found[_key("errand_tasks_finished_total", kind="send_mail", outcome="failed")] == 0


def test_histograms_are_cumulative_and_end_in_all(scrape):
    _count(ended=8)
    found = scrape()
    buckets = {
        float(dict(labels)["le"]): value
        for (name, labels), value in found.items()
        if name == "errand_task_wait_seconds_bucket" and ("kind", "countdown") in labels
    }
    assert [buckets[bound] for bound in sorted(buckets)] == sorted(buckets.values())
    assert buckets[float("inf")] == found[_key("errand_task_wait_seconds_count", kind="countdown")] == 8
    assert buckets[min(bound for bound in buckets if bound >= 3)] >= 4
    assert found[_key("errand_task_wait_seconds_sum", kind="countdown")] == sum(range(8))
    assert found[_key("errand_task_run_seconds_sum", kind="countdown")] == 16


def test_counters_never_go_back_whatever_is_deleted(scrape):
    _count(ended=4)
    before = scrape()
    statistics.TaskMinute.delete().execute()
    statistics.TaskHour.delete().execute()
    make_task(State.SUCCEEDED).delete_instance()
    _count()
    after = scrape()
    counters = [key for key in before if key[0].endswith(("_total", "_bucket", "_count", "_sum"))]
    assert counters
    assert all(after[key] >= before[key] for key in counters)


def test_what_waits_runs_and_is_held_is_of_now(scrape):
    make_task(State.PENDING, ready_at=utcnow() - timedelta(seconds=90))
    make_task(State.IN_PROGRESS)
    KindControl.pause("countdown", utcnow() + timedelta(hours=1))
    Worker.heartbeat("a", "here", 1, 3, timedelta(minutes=1))
    Worker.heartbeat("b", "here", 2, 4, timedelta(minutes=1), is_quiet=True)
    Leader.hold("sweeper", "a", timedelta(seconds=30))
    found = scrape()
    assert found[_key("errand_tasks_waiting", kind="countdown")] == 1
    assert found[_key("errand_tasks_running", kind="countdown")] == 1
    assert 90 <= found[_key("errand_oldest_wait_seconds", kind="countdown")] < 100
    assert found[_key("errand_kind_paused", kind="countdown")] == 1
    assert found[_key("errand_kind_paused", kind="send_mail")] == 0
    assert found[_key("errand_worker_slots")] == 3
    assert found[_key("errand_workers", quiet="true")] == 1
    assert found[_key("errand_sweeper_lease_end_timestamp_seconds")] > 0
    assert found[_key("errand_alerts_firing", rule="no worker")] == 0


def test_openmetrics_is_spoken_to_who_asks_for_it(open_site):
    _count(ended=3)
    accept = "application/openmetrics-text; version=1.0.0"
    answer = open_site.test_client().get("/metrics", headers=HEADERS | {"Accept": accept})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert {"errand_tasks_finished", "errand_task_wait_seconds"} <= {
        family.name for family in parse_openmetrics(answer.text)
    }


def test_asking_again_within_seconds_asks_the_database_nothing(open_site, queries):
    _count(ended=3)
    client = open_site.test_client()
    with queries() as asked:
        first = client.get("/metrics", headers=HEADERS).text
    assert asked.count <= MOST_QUERIES
    with queries() as asked:
        assert client.get("/metrics", headers=HEADERS).text == first
    assert asked.count == 0


NAME = re.compile(r"\berrand_\w+")


def _rules() -> list[dict]:
    text = (ROOT / "deploy" / "prometheus-rules.yml").read_text()
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def test_every_metric_that_rules_and_dashboard_name_exists(scrape):
    _count(ended=1)
    known = {name for name, _ in scrape()}
    panels = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())["panels"]
    asked = [rule["expr"] for rule in _rules()] + [target["expr"] for panel in panels for target in panel["targets"]]
    named = {name for expression in asked for name in NAME.findall(expression)}
    assert named
    assert named - known == set()


def test_every_alert_says_where_to_read_what_to_do():
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    anchors = {
        re.sub(r"[^\w -]", "", line[3:].lower()).replace(" ", "-") for line in re.findall(r"^## .*$", text, re.M)
    }
    for rule in _rules():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == "docs/troubleshooting.md"
        assert anchor in anchors
        assert f"`{rule['alert']}`" in text
