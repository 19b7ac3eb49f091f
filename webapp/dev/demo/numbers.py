"""The numbers of the last month, of the rows of its tasks: what ended by the rollup, and what waited and ran."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from webapp.db import Row, insert_rows
from webapp.dev.demo.timeline import whole_minute
from webapp.dev.demo.worker import PROCESSES
from webapp.models import Task
from webapp.models.statistics import ALL_KINDS, LineHour, LineMinute, roll_up

MINUTES, HOURS = timedelta(days=2), timedelta(days=29)  # for how long back there are lines
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
AT_ONCE = 300  # rows in a statement


@dataclass
class _Moment:
    """The line at a moment."""

    waits: list[int] = field(default_factory=list)  # seconds so far, of each that waited
    running: int = 0


def count_everything(now: datetime) -> None:
    """Count what ended. The line of each minute that has gone cannot be looked at any more, as a sweeper would have
    done: this works out of the same rows what it would have seen."""
    seen = _look_back(whole_minute(now) - HOURS, whole_minute(now))
    _write_minutes(seen, whole_minute(now))
    while not roll_up(now, 10_000):
        pass
    _write_hours(seen, whole_minute(now))


def _look_back(since: datetime, until: datetime) -> dict[datetime, dict[str, _Moment]]:
    """What waited and ran at the beginning of each minute in which anything did, by kind and in all."""
    seen: dict[datetime, dict[str, _Moment]] = defaultdict(lambda: defaultdict(_Moment))
    columns = Task.name, Task.ready_at, Task.started_at, Task.finished_at
    ran = Task.select(*columns).where(Task.name != "", Task.started_at > since, Task.ready_at.is_null(False))
    rows: Iterable[Row] = ran.tuples()
    for kind, ready, started, ended in rows:
        for minute in _minutes(ready, min(ended or until, until)):
            for moment in (seen[minute][kind], seen[minute][ALL_KINDS]):
                if minute < started:
                    moment.waits.append(int((minute - ready).total_seconds()))
                else:
                    moment.running += 1
    return seen


def _minutes(since: datetime, until: datetime) -> Iterable[datetime]:
    minute = whole_minute(since) + MINUTE
    while minute < until:
        yield minute
        minute += MINUTE


def _write_minutes(seen: dict[datetime, dict[str, _Moment]], until: datetime) -> None:
    rows = []
    for minute in _minutes(until - MINUTES - MINUTE, until):
        kinds = {ALL_KINDS: _Moment()} | seen.get(minute, {})
        rows += [(minute, kind, *_values(kind, [moment])) for kind, moment in kinds.items()]
    _insert(LineMinute, rows)


def _write_hours(seen: dict[datetime, dict[str, _Moment]], until: datetime) -> None:
    """The hours before, as the rollup would have made them of minutes that it keeps no longer."""
    last, hour = (until - MINUTES).replace(minute=0) - HOUR, (until - HOURS).replace(minute=0)
    rows = []
    while hour <= last:
        nothing = {ALL_KINDS: _Moment()}
        moments = [seen.get(hour + n * MINUTE, nothing)[ALL_KINDS] for n in range(60)]
        rows.append((hour, ALL_KINDS, *_values(ALL_KINDS, moments)))
        hour += HOUR
    LineHour.delete().where(LineHour.at <= last).execute()
    _insert(LineHour, rows)


def _values(kind: str, moments: list[_Moment]) -> tuple[Any, ...]:
    """The worst of all waits, and the sums of what ran and could; how many workers there were only in all."""
    waiting = max(len(moment.waits) for moment in moments)
    oldest = max((wait for moment in moments for wait in moment.waits), default=0)
    running = sum(moment.running for moment in moments)
    return waiting, oldest, running, *((0, 0) if kind else (PROCESSES * len(moments), 1)), ""


def _insert(model: type[LineMinute] | type[LineHour], rows: list[tuple[Any, ...]]) -> None:
    fields = model.at, model.kind, model.waiting, model.oldest_wait, model.running
    for begin in range(0, len(rows), AT_ONCE):
        insert_rows({}, (*fields, model.capacity, model.workers, model.release), rows[begin : begin + AT_ONCE])
