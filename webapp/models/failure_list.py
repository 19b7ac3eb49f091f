"""The causes by which tasks fail, for the desk: which there are, how many tasks each has felled, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from operator import add
from typing import Any, Final

from peewee import SQL, Case, Expression, Value, fn

from tasks.engine.models.failure_group import FailureGroup
from tasks.engine.models.task import Task
from webapp.lib.times import utcnow
from webapp.models.user import User

MOST_GROUPS: Final = 50  # on a page: those that were seen last
COUNTED_AT_MOST: Final = 10_000  # tasks of a group in a window; one more says that there are more
NEWEST: Final = 20  # tasks of a group that its page lists


class Window(StrEnum):
    """Since when a cause must have been seen. The value is what URLs say."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"


WINDOWS: Final = {
    Window.HOUR: timedelta(hours=1),
    Window.DAY: timedelta(days=1),
    Window.WEEK: timedelta(days=7),
}


class Order(StrEnum):
    """What comes first: what was seen last, or what has felled most in the window."""

    LAST = "last"
    COUNT = "count"


@dataclass(frozen=True)
class CountedGroup:
    """A cause, and how many tasks it has felled in each window that are still failed; COUNTED_AT_MOST, or one more."""

    group: FailureGroup
    failed: dict[Window, int]

    @property
    def is_over(self) -> bool:
        """Whether it was seen lately, and yet all that it felled was retried or deleted."""
        lately = self.group.last_at >= utcnow() - max(WINDOWS.values())
        return lately and not any(self.failed.values())


@dataclass(frozen=True)
class FailureFilter:
    """Which causes are wanted: those seen in a window, or ever; of one kind, or of any."""

    window: Window | None = Window.WEEK
    kind: str = ""
    order: Order = Order.LAST

    def groups(self, now: datetime | None = None) -> list[CountedGroup]:
        """At most MOST_GROUPS, those that were seen last, in their order. One query, by index.

        It counts no further than COUNTED_AT_MOST in each window of each.
        """
        now = now or utcnow()
        found = FailureGroup.select(*_SHOWN, _counts(now)).order_by(FailureGroup.last_at.desc())
        for condition in self._conditions(now):
            found = found.where(condition)
        counted = [_counted(group) for group in found.limit(MOST_GROUPS)]
        if self.order == Order.COUNT:
            counted.sort(key=lambda each: each.failed[self.window or Window.WEEK], reverse=True)
        return counted

    def _conditions(self, now: datetime) -> Sequence[Expression]:
        of_kind = [FailureGroup.kind == self.kind] if self.kind else []
        # A group is written once a minute at most: one whose latest task is in the window may say a minute less.
        seen = [FailureGroup.last_at >= now - WINDOWS[self.window] - timedelta(minutes=1)] if self.window else []
        return [*of_kind, *seen]


def find(fingerprint: str, now: datetime | None = None) -> CountedGroup | None:
    """The cause of this fingerprint, or None. One query."""
    found = FailureGroup.select(FailureGroup, _counts(now or utcnow()))
    group = found.where(FailureGroup.fingerprint == fingerprint).first()
    return _counted(group) if group else None


def count_tasks(fingerprint: str) -> int:
    """How many tasks have failed by it, or await another attempt; counted up to one more than COUNTED_AT_MOST.

    Workflows and their parts count alike. One query, of an index alone.
    """
    return int(Task.select(SQL("1")).where(Task.fingerprint == fingerprint).limit(COUNTED_AT_MOST + 1).count())


def newest_tasks(fingerprint: str) -> list[Task]:
    """The tasks that were started last of those that have failed by it: at most NEWEST, with their
    owners. One query, by index."""
    found = Task.select(Task, User).join(User).where(Task.fingerprint == fingerprint)
    return list(found.order_by(Task.created_at.desc(), Task.id.desc()).limit(NEWEST))


_SHOWN: Final = [field for field in FailureGroup._meta.sorted_fields if field is not FailureGroup.traceback]
_DIGITS: Final = 1 << 20  # of one window in the sum: more than is counted


def _counts(now: datetime) -> Any:
    """The counts of all windows in one number, of the latest: so these are gone through once, and not for each."""
    longest = max(WINDOWS.values())
    ended = Task.select(Task.finished_at.alias("at")).where(
        Task.fingerprint == FailureGroup.fingerprint, Task.finished_at >= now - longest
    )
    some: Any = ended.order_by(Task.finished_at.desc()).limit(COUNTED_AT_MOST + 1)
    each = [
        Case(None, [(some.c.at >= Value(now - length, converter=Task.finished_at.db_value), _DIGITS**place)], 0)
        for place, length in enumerate(WINDOWS.values())
    ]
    return some.select_from(fn.COALESCE(fn.SUM(reduce(add, each)), 0)).alias("counts")


def _counted(group: Any) -> CountedGroup:
    counts = int(group.counts)
    return CountedGroup(group, {window: counts // _DIGITS**place % _DIGITS for place, window in enumerate(WINDOWS)})
