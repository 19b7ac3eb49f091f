"""Rows of numbers as they are stored, for whoever adds up very many."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from webapp.db import database
from webapp.models.statistics.counts import ALL_KINDS, TaskCount


class Count(NamedTuple):
    """A row of TaskCount whose histograms are text still: to read those of many one by one takes most of the time."""

    kind: str
    at: datetime
    outcome: str
    number: int
    wait_ms: int
    run_ms: int
    waits: str
    runs: str


def some_counts(model: type[TaskCount], begin: datetime, end: datetime, kind: str | None) -> Iterable[Count]:
    """What ended in a time, of a kind or of all, or if that is None of each. One query, by index."""
    which = model.kind != ALL_KINDS if kind is None else model.kind == kind
    columns = (model.kind, model.at, model.outcome, model.count, model.wait_ms, model.run_ms, model.waits, model.runs)
    query = model.select(*columns).where(which, model.at >= begin)
    for row in database.execute(query.where(model.at < end)):
        count = Count(*row)
        yield count if isinstance(count.at, datetime) else count._replace(at=datetime.fromisoformat(count.at))
