"""What /metrics says, family by family, in the names and base units that Prometheus recommends.

Of kinds that this release does not know, some fifty stand by themselves; all others are the kind “(other kinds)”.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from tasks.engine.models.state import FINISHED
from webapp.lib.histogram import BOUNDS, Histogram, merged
from webapp.models.reading import Reading
from webapp.models.site_alert_rules import Rule
from webapp.models.statistics import Line, TaskTotal, name_of


def families(found: Reading) -> Iterator[Metric]:
    """All metrics, of what was read."""
    yield from _ended(found)
    yield from _line(found)
    yield from _workers(found)
    paused = [control.name for control in found.controls if control.paused_until and control.paused_until > found.now]
    held = {name_of(kind, found.kinds) for kind in paused}
    yield _by("errand_kind_paused", "1 while tasks of the kind are kept from starting.", "kind", found.kinds, held)
    firing = [alert.rule for alert in found.alerts]
    rules = [rule.value for rule in Rule]
    yield _by("errand_alerts_firing", "Site alerts that fire, by their rule.", "rule", rules, firing)


def _ended(found: Reading) -> Iterator[Metric]:
    totals, those = defaultdict[str, list[TaskTotal]](list), set(found.kinds)
    # A counter begins at 0, or rate() would miss the first.
    numbers: dict[tuple[str, str], int] = {(kind, state): 0 for kind in found.kinds for state in sorted(FINISHED)}
    for total in found.totals:
        kind = name_of(total.kind, those)
        totals[kind].append(total)
        numbers[kind, total.outcome] = numbers.get((kind, total.outcome), 0) + total.count
    ended = CounterMetricFamily(
        "errand_tasks_finished", "Tasks that ended, until three minutes ago.", labels=("kind", "outcome")
    )
    wait = HistogramMetricFamily(
        "errand_task_wait_seconds", "From pending to the start of its last run.", labels=["kind"]
    )
    run = HistogramMetricFamily("errand_task_run_seconds", "How long all runs of a task took.", labels=["kind"])
    for labels, number in numbers.items():
        ended.add_metric(labels, number)
    for kind, rows in sorted(totals.items()):
        wait.add_metric([kind], _buckets(row.waits for row in rows), sum(row.wait_ms for row in rows) / 1000)
        run.add_metric([kind], _buckets(row.runs for row in rows), sum(row.run_ms for row in rows) / 1000)
    yield from (ended, wait, run)


def _line(found: Reading) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("errand_tasks_waiting", "Tasks that are pending.", labels=["kind"])
    running = GaugeMetricFamily("errand_tasks_running", "Tasks that a worker holds.", labels=["kind"])
    oldest = GaugeMetricFamily("errand_oldest_wait_seconds", "For how long the first of a kind waits.", labels=["kind"])
    for kind in found.kinds:
        line = found.lines.get(kind, Line())
        waiting.add_metric([kind], line.waiting)
        running.add_metric([kind], line.running)
        oldest.add_metric([kind], line.oldest_wait)
    yield from (waiting, running, oldest)


def _workers(found: Reading) -> Iterator[Metric]:
    quiet = [worker for worker in found.workers if worker.quiet_at is not None]
    able = [worker for worker in found.workers if worker.quiet_at is None]
    workers = GaugeMetricFamily("errand_workers", "Workers that live.", labels=["quiet"])
    workers.add_metric(["false"], len(able))
    workers.add_metric(["true"], len(quiet))
    yield workers
    slots = sum(worker.processes for worker in able)
    yield GaugeMetricFamily("errand_worker_slots", "Tasks that workers can run at once.", value=slots)
    leads = found.leader.until if found.leader else None
    seen = found.rollup.seen if found.rollup else None
    yield _moment("errand_sweeper_lease_end", "Until when a sweeper leads; 0 for none.", leads)
    yield _moment("errand_rollup", "What ended before is counted; 0 for nothing.", seen)


def _by(name: str, words: str, label: str, every: Iterable[str], those: Iterable[str]) -> Metric:
    family, counted = GaugeMetricFamily(name, words, labels=[label]), Counter(those)
    for each in every:
        family.add_metric([each], counted[each])
    return family


def _buckets(histograms: Iterable[Histogram]) -> list[tuple[str, float]]:
    """Cumulative, by the upper bound in seconds, as Prometheus has them."""
    every = merged(histograms)
    bounds = [*(f"{bound / 1000:g}" for bound in BOUNDS), "+Inf"]
    return list(zip(bounds, accumulate(every.get(n, 0) for n in range(len(bounds))), strict=True))


def _moment(name: str, words: str, at: datetime | None) -> Metric:
    seconds = (at.replace(tzinfo=UTC) - datetime.fromtimestamp(0, UTC)).total_seconds() if at else 0
    return GaugeMetricFamily(f"{name}_timestamp_seconds", words, value=seconds)
