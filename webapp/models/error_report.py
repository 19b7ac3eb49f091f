"""ErrorReport: a kind of error that this site has had, how often, and whether the admins have been told."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

from peewee import EXCLUDED, Case, CharField, DateTimeField, IntegerField, TextField, fn

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.error_description import Description
from webapp.lib.error_occurrences import TOO_MANY, Occurrences
from webapp.lib.error_text import text_of
from webapp.lib.times import utcnow

QUIET_FOR = timedelta(hours=1)  # after a mail about a kind, before there is another
KEPT = timedelta(days=7)  # after the last of its kind
MOST_ROWS = 1000  # kinds; what comes beyond counts as TOO_MANY


class ErrorReport(BaseModel):
    """All errors of one kind, of all processes. It holds no values of programs: see `webapp.lib.error_description`."""

    kind = CharField(primary_key=True, max_length=32, help_text="a digest")
    summary = CharField(max_length=255)
    details = TextField(help_text="what is told of the latest that was described")
    first_at = DateTimeField()
    last_at = DateTimeField(index=True)
    count = IntegerField()
    told = IntegerField(default=0, help_text="how many of these a mail has told of")
    quiet_until = DateTimeField(help_text="no mail before")
    due_at = DateTimeField(null=True, index=True, help_text="when the next mail is due; null where there is no news")

    @classmethod
    def add(cls, found: Sequence[Occurrences]) -> None:
        """Count errors that have occurred, and let the admins be mailed. One transaction, a write for each kind."""
        with database.atomic():
            for each in sorted(found, key=lambda each: each.description.kind.digest):  # one order for all that lock
                cls._add(each)

    @classmethod
    def _add(cls, found: Occurrences) -> None:
        of = found.description
        kind = of.kind.digest
        if not cls.select().where(cls.kind == kind).exists() and cls.select().count() >= MOST_ROWS:
            of = Description(TOO_MANY, of.level)
            kind = of.kind.digest
        now = utcnow()
        first = {cls.kind: kind, cls.first_at: found.first_at, cls.quiet_until: now, cls.due_at: now}
        latest = {cls.summary: of.kind.title, cls.details: text_of(of), cls.last_at: found.last_at}
        due: Any = fn.COALESCE(cls.due_at, Case(None, [(cls.quiet_until > now, cls.quiet_until)], now))
        again = latest | {cls.count: cls.count + EXCLUDED.count, cls.due_at: due}
        row = cls.insert(first | latest | {cls.count: found.count})
        row.on_conflict(conflict_target=(cls.kind,), update=again).execute()

    @classmethod
    def next_due(cls) -> Self | None:
        """What the admins are to be told next, the longest due first. One query, by index."""
        found: Self | None = cls.select().where(cls.due_at <= utcnow()).order_by(cls.due_at, cls.kind).first()
        return found

    @property
    def news(self) -> int:
        """How many have occurred since the mail before, or at all."""
        return int(self.count - self.told)

    def claim(self) -> bool:
        """Take it upon oneself to tell of these, before telling; False if somebody else has. One write.

        What is claimed by a process that dies then is not told: a mail too few, and never one too many.
        """
        cls, until = type(self), utcnow() + QUIET_FOR
        more: Any = Case(None, [(cls.count > self.count, until)], None)  # since it was read
        claimed = cls.update(told=self.count, quiet_until=until, due_at=more)
        is_as_read = cls.kind == self.kind, cls.told == self.told, cls.due_at == self.due_at
        return bool(claimed.where(*is_as_read).execute())

    def put_off(self, by: timedelta) -> None:
        """These could not be told; they are to be told later. Call it on what was claimed."""
        later = utcnow() + by
        type(self).update(told=self.told, quiet_until=later, due_at=later).where(type(self).kind == self.kind).execute()

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that have not occurred for KEPT; returns how many that were."""
        old = cls.select(cls.kind).where(cls.last_at < utcnow() - KEPT).order_by(cls.last_at).limit(at_once)
        return int(cls.delete().where(cls.kind.in_(old)).execute())


also_purge(ErrorReport, ErrorReport.purge)
