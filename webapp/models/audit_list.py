"""The audit as a list: which entries are wanted, and some of them at a time, however many there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import ModelSelect

from webapp.models.audit import AuditEntry

MOST_LOOKED_THROUGH = 20_000  # entries for one page, where no index has all that is wanted
MOST_EXPORTED = 50_000
AT_ONCE = 1000  # that an export reads by one query
# An entry has its time before it has its id: those written at once may have these in another order.
MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class AuditPart:
    """Some entries, the newest first, and the id below which the others are; None where there is none."""

    entries: list[AuditEntry]
    below: int | None


@dataclass(frozen=True)
class AuditFilter:
    """What an entry must be like. What is empty demands nothing; people by id, times naive UTC, `until` left out."""

    target: str = ""
    about: int | None = None
    actor: int | None = None
    action: str = ""
    outcome: str = ""
    via: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def part(self, size: int, below: int | None = None) -> AuditPart:
        """At most so many entries. Four queries at most, by index.

        An index finds what is demanded first; what else is demanded is looked for among the MOST_LOOKED_THROUGH of
        these. So there may be fewer, or none, and more to come.
        """
        found, others = self._by_index(below), self._one_by_one()
        if found is None:
            return AuditPart([], None)
        if not others:
            rows = list(found.limit(size + 1))
            return AuditPart(rows[:size], rows[size - 1].id if len(rows) > size else None)
        some = found.select(AuditEntry.id).limit(MOST_LOOKED_THROUGH)
        query = AuditEntry.select().where(AuditEntry.id.in_(some), *others).order_by(AuditEntry.id.desc())
        rows = list(query.limit(size + 1))
        if len(rows) > size:
            return AuditPart(rows[:size], rows[size - 1].id)
        return AuditPart(rows, found.select(AuditEntry.id).offset(MOST_LOOKED_THROUGH - 1).limit(1).scalar())

    def batches(self, size: int, most: int = MOST_EXPORTED) -> Iterator[list[AuditEntry]]:
        """The newest `most` of all these entries, so many at a time. It ends where it has looked through too many."""
        below: int | None = None
        while most > 0:
            part = self.part(min(size, most), below)
            if part.entries:
                yield part.entries
            below = part.below
            if below is None:
                return
            most -= len(part.entries) if len(part.entries) == size else MOST_LOOKED_THROUGH

    def _by_index(self, below: int | None) -> "ModelSelect[AuditEntry] | None":
        """What the most telling index finds, in order; None where nobody did anything in that time."""
        conditions = self._demands()[:1] if self._demands() else []
        if self.since:
            first = AuditEntry.select(AuditEntry.id).where(AuditEntry.at >= self.since)
            earliest = first.order_by(AuditEntry.at, AuditEntry.id).limit(1).scalar()
            if earliest is None:
                return None
            conditions.append(AuditEntry.id > earliest - MOST_AT_ONCE)
        if self.until:
            last = AuditEntry.select(AuditEntry.id).where(AuditEntry.at < self.until)
            latest = last.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(1).scalar()
            if latest is None:
                return None
            conditions.append(AuditEntry.id < latest + MOST_AT_ONCE)
        if below is not None:
            conditions.append(AuditEntry.id < below)
        query = AuditEntry.select().order_by(AuditEntry.id.desc())
        return query.where(*conditions) if conditions else query

    def _demands(self) -> list[Any]:
        """What an index has, the most telling first."""
        wanted = {AuditEntry.target: self.target, AuditEntry.about: self.about, AuditEntry.actor: self.actor}
        wanted[AuditEntry.action] = self.action
        return [field == value for field, value in wanted.items() if value]

    def _one_by_one(self) -> list[Any]:
        others = self._demands()[1:]
        wanted = {AuditEntry.outcome: self.outcome, AuditEntry.via: self.via}
        others += [field == value for field, value in wanted.items() if value]
        others += [AuditEntry.at >= self.since] if self.since else []
        return others + ([AuditEntry.at < self.until] if self.until else [])
