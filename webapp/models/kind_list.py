"""The kinds of tasks, for the desk: what waits and runs of each, what has ended, and what operators have decided."""

from dataclasses import dataclass
from datetime import datetime

from tasks.engine import registry
from tasks.engine.models.kind_control import LONGEST_NAME, KindControl
from webapp.lib.times import utcnow
from webapp.models.statistics import RANGES, Line, Numbers, Range, by_kind, lines


@dataclass(frozen=True)
class Kind:
    """One kind, by the name of its task function; `numbers` are of what has ended in the range that was asked for."""

    name: str
    line: Line
    numbers: Numbers
    control: KindControl | None

    @property
    def paused_until(self) -> datetime | None:
        """When its pause ends; None while it is not paused."""
        return self.control.paused_until if self.control and self.control.is_paused else None

    @property
    def is_limited(self) -> bool:
        """Whether it has a limit."""
        of = self.control
        limits = (of.max_running, of.max_running_per_person, of.max_starts_per_second) if of else ()
        return any(limit is not None for limit in limits)

    @property
    def max_running(self) -> int | None:
        """How many of it may run at once; None without a limit."""
        return self.control.max_running if self.control else None


def kinds(which: Range, now: datetime | None = None) -> list[Kind]:
    """Every kind of this release, and whatever else waits, has ended in the range, or is held; by name.

    Six queries, and two more for each kind that waits.
    """
    now = now or utcnow()
    waiting, ended = lines(now), by_kind(now - RANGES[which].length, now)
    held = {control.name: control for control in KindControl.all()}
    names = sorted({*registry.functions, *waiting, *ended, *held} - {""})
    return [Kind(name, waiting.get(name, Line()), ended.get(name, Numbers()), held.get(name)) for name in names]


def find(name: str, which: Range, now: datetime | None = None) -> Kind | None:
    """The kind of this name; None where there is none, in this release or in what `kinds` tells. As many queries."""
    if len(name) > LONGEST_NAME:
        return None
    return next((kind for kind in kinds(which, now) if kind.name == name), None)


def exists(name: str) -> bool:
    """Whether there is a kind of this name. No query for those of this release."""
    return name in registry.functions or find(name, Range.HOUR) is not None
