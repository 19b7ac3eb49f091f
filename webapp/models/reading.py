"""Reading: how the whole site is at one moment, in few queries, for programs that watch it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tasks.engine import registry
from tasks.engine.leadership import ROLE
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.leader import Leader
from tasks.engine.models.worker import Worker
from webapp.lib.times import utcnow
from webapp.models import statistics
from webapp.models.site_alert import SiteAlert
from webapp.models.statistics import Line, Rollup, TaskTotal


@dataclass(frozen=True)
class Reading:
    """All that is read for one answer."""

    now: datetime
    totals: list[TaskTotal]
    lines: dict[str, Line]
    workers: list[Worker]
    leader: Leader | None
    rollup: Rollup | None
    controls: list[KindControl]
    alerts: list[SiteAlert]

    @cached_property
    def kinds(self) -> list[str]:
        """All of the catalogue, and whatever else has ended, waits, runs or is held: a series that is 0 is there. Of
        those that this release does not know, a few; what is not among these counts as OTHERS.
        """
        held = {control.name for control in self.controls}
        every = {*(total.kind for total in self.totals), *self.lines, *held} - {statistics.OTHERS}
        those = statistics.named(every) | set(registry.functions)
        is_more = statistics.OTHERS in self.lines or not those.issuperset(every)
        return [*sorted(those), *([statistics.OTHERS] if is_more else [])]


def read() -> Reading:
    """Seven small queries, and one for each kind that waits."""
    now = utcnow()
    return Reading(
        now,
        list(TaskTotal.select().order_by(TaskTotal.kind, TaskTotal.outcome)),
        statistics.lines(now),
        list(Worker.select().where(Worker.lives_until > now)),
        Leader.get_or_none(Leader.role == ROLE),
        Rollup.get_or_none(),
        KindControl.all(),
        SiteAlert.firing(),
    )


def sweeping_worker(now: datetime) -> str:
    """Which worker sweeps, as host and process; "unknown" for one that is not in the list, empty where none does. Two
    queries, by key."""
    leader: Leader | None = Leader.get_or_none(Leader.role == ROLE, Leader.until > now)
    worker: Worker | None = Worker.get_or_none(Worker.token == leader.token) if leader else None
    return worker.name if worker else "unknown" if leader else ""
