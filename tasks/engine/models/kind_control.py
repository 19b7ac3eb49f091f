"""Kind controls: what an operator has decided of all tasks of one kind, which is one task function.

A kind that is paused, or at a limit, is *held*: its tasks can still be started, and wait. There is a row for a kind
only while something is decided of it, so that a site without any pays nothing; the sweeper deletes the others.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from peewee import BooleanField, CharField, DateTimeField, DoubleField, Expression, IntegerField, ModelSelect

from tasks.engine.models.actor import LONGEST_REASON
from webapp.db import BaseModel, compiled, database
from webapp.lib.json_types import Json
from webapp.lib.times import utcnow

LONGEST_NAME = 60
LONGEST_PAUSE = timedelta(days=30)
MOST_RUNNING = 10_000
SLOWEST, FASTEST = 0.001, 1000.0  # starts per second

_NOTHING: Mapping[str, object] = {"paused_at": None, "paused_until": None, "reason": "", "stops_running": False}


class KindControl(BaseModel):
    """What holds the tasks of a kind, by the `name` of its task function. A limit that is null is none."""

    name = CharField(primary_key=True, max_length=LONGEST_NAME, help_text="of the task function")
    paused_at = DateTimeField(null=True)
    paused_until = DateTimeField(null=True, help_text="each pause ends by itself")
    reason = CharField(max_length=LONGEST_REASON, default="", help_text="of the pause, which owners of tasks read")
    stops_running = BooleanField(default=False, help_text="whether what runs is being asked to pause, too")
    max_running = IntegerField(null=True, help_text="tasks of it that run at once")
    max_running_per_person = IntegerField(null=True, help_text="of one person, or of one group of owners")
    max_starts_per_second = DoubleField(null=True)
    next_start = DoubleField(null=True, help_text="no start before: seconds since 1970, by the database’s clock")
    told_until = IntegerField(null=True, help_text="owners up to this one know of the last change; null if all do")

    @classmethod
    def all(cls) -> list[Self]:
        """The controls of all kinds that have any, by name. One small query, compiled."""
        return _all.objects(cls)

    @classmethod
    def is_any(cls) -> bool:
        """Whether anything is decided of any kind. One small query, compiled."""
        return _any.execute().fetchone() is not None

    @classmethod
    def of(cls, name: str) -> Self | None:
        """The control of a kind, or None where nothing is decided of it. One query."""
        return cls.get_or_none(cls.name == name)

    @classmethod
    def pause(cls, name: str, until: datetime, reason: str = "", stop_running: bool = False) -> None:
        """Let no task of this kind start until then; one that is paused already is paused until then instead.

        What runs goes on, unless it is to `stop_running`: then each is asked to pause, by the sweeper, within seconds
        where there are not thousands. Those stay paused once the pause ends, as any task that was paused: whoever owns
        them resumes them, or an operator. Raises ValueError for a time that is past or further than LONGEST_PAUSE, and
        for a name that no kind can have. One write, committed with what the caller does in its transaction.
        """
        now = utcnow()
        if not now < until <= now + LONGEST_PAUSE:
            raise ValueError(f"a pause ends within {LONGEST_PAUSE.days} days, not at {until}")
        said = {"paused_at": now, "paused_until": until, "reason": reason[:LONGEST_REASON]}
        cls._decide(name, stops_running=stop_running, **said)

    @classmethod
    def resume(cls, name: str) -> bool:
        """End the pause of a kind before its time; limits stay. False where it is not paused. Two queries at most."""
        with database.transaction():
            is_paused = cls.paused_until > utcnow()
            return bool(cls.update(**_NOTHING, told_until=0).where(cls.name == name, is_paused).execute())

    @classmethod
    def limit(
        cls, name: str, running: int | None = None, per_person: int | None = None, per_second: float | None = None
    ) -> None:
        """Set all three limits of a kind; None is no limit. A pause stays as it is. One write.

        `running` tasks of it run at once at most, `per_person` of one person, and `per_second` start, evenly spaced.
        What runs beyond a new limit goes on. Raises ValueError for what no limit can be: 0, which would be a pause
        without an end, or more than MOST_RUNNING and FASTEST.
        """
        for number in (running, per_person):
            if number is not None and not 1 <= number <= MOST_RUNNING:
                raise ValueError(f"a limit is from 1 to {MOST_RUNNING}, not {number}")
        if per_second is not None and not SLOWEST <= per_second <= FASTEST:
            raise ValueError(f"starts per second are from {SLOWEST} to {FASTEST:.0f}, not {per_second}")
        limits = {"max_running": running, "max_running_per_person": per_person, "max_starts_per_second": per_second}
        cls._decide(name, **limits, next_start=None)

    def end(self, now: datetime) -> bool:
        """End its pause if the time is over; it has ended by itself for all who ask since. One write, if it has."""
        if self.paused_until is None or self.paused_until > now:
            return False
        same = KindControl.paused_until == self.paused_until
        return self._write(same, **_NOTHING, told_until=0)

    def tell(self, until: int | None) -> bool:
        """Keep that owners up to this one are told, or that all are. False if something else was decided meanwhile."""
        return self._write(KindControl.told_until == self.told_until, told_until=until)

    def has_stopped(self) -> bool:
        """Keep that nothing of it runs that is to be paused."""
        return self._write(KindControl.paused_until == self.paused_until, stops_running=False)

    def forget_if_idle(self) -> None:
        """Delete it if nothing is decided any more, and all who are to know that do. One write at most."""
        if self.paused_until is not None or self.is_limited or self.told_until is not None:
            return
        with database.transaction():
            fields = (KindControl.paused_until, *_LIMITS, KindControl.told_until)
            idle = [field.is_null() for field in fields]
            KindControl.delete().where(KindControl.name == self.name, *idle).execute()

    def _write(self, condition: Expression, **changes: object) -> bool:
        with database.transaction():
            query = KindControl.update(**changes).where(KindControl.name == self.name, condition)
            written = bool(query.execute())
        if written:
            self.__data__.update(changes)
        return written

    @property
    def is_paused(self) -> bool:
        """Whether it is paused now."""
        return self.paused_until is not None and self.paused_until > utcnow()

    @property
    def is_limited(self) -> bool:
        """Whether it has a limit."""
        return any(self.__data__[limit.name] is not None for limit in _LIMITS)

    @property
    def decided(self) -> dict[str, Json]:
        """What is decided, for the audit: the pause with its end, in UTC, and its reason; and the limits."""
        until = self.paused_until.isoformat() + "Z" if self.is_paused and self.paused_until else None
        limits = {"running": self.max_running, "per_person": self.max_running_per_person}
        return {"paused_until": until, "reason": self.reason, **limits, "per_second": self.max_starts_per_second}

    @classmethod
    def _decide(cls, name: str, **said: object) -> None:
        if not 0 < len(name) <= LONGEST_NAME:
            raise ValueError(f"no kind is named {name!r}")
        row = {"name": name, "told_until": 0, **said}
        said["told_until"] = 0
        with database.transaction():
            cls.insert(row).on_conflict(conflict_target=(cls.name,), update=said).execute()


_LIMITS = (KindControl.max_running, KindControl.max_running_per_person, KindControl.max_starts_per_second)


@compiled
def _any() -> "ModelSelect[KindControl]":
    return KindControl.select(KindControl.name).limit(1)


@compiled
def _all() -> "ModelSelect[KindControl]":
    return KindControl.select().order_by(KindControl.name)
