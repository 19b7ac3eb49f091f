"""The audit: who did what beyond their own things, when, why, and with which effect; refusals too.

An entry is written in the transaction of its effect: there is none without the other. Entries are only added, and
deleted once they are AUDIT_DAYS old. They hold no argument of a task, no name or text of a person, and no secret.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, IntegerField, JSONField, PeeweeException

from tasks.engine.models.actor import LONGEST_REASON
from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.times import utcnow
from webapp.models.audited_actions import AUDITED, Audited, AuditedRow
from webapp.models.user import User

__all__ = [
    "AUDITED",
    "Asker",
    "AuditEntry",
    "Audited",
    "AuditedRow",
    "Outcome",
    "Via",
    "audit",
    "configure",
    "record_refusal",
    "why",
]

LONGEST_NAME = 60
LONGEST_TARGET = 100
LONGEST_ERROR = 300

_keep = timedelta(days=400)


class Via(StrEnum):
    """Through which door somebody came."""

    PAGE = "page"
    API = "api"
    COMMAND = "command"


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who does it, and from where: a user, or by a command whoever is signed in to the machine, its `command_user`."""

    user: User | None
    via: Via
    command_user: str = ""
    token_id: int | None = None
    network: str = ""
    request_id: str | None = None


class AuditEntry(BaseModel):
    """One act, or one that was refused."""

    id = AutoField()
    at = DateTimeField(default=utcnow, index=True)
    actor = ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+", index=False)
    actor_id: int | None
    command_user = CharField(max_length=LONGEST_NAME, default="", help_text="of the machine, where a command did it")
    role = CharField(max_length=10, null=True, help_text="of the actor, as it was then")
    via = CharField(max_length=8, help_text="in Via")
    token_id = IntegerField(null=True, help_text="of the API token, which may be there no more")
    network = CharField(max_length=50, default="")
    request_id = CharField(max_length=128, null=True)
    action = CharField(max_length=40, help_text="in Audited")
    target = CharField(
        max_length=LONGEST_TARGET,
        help_text="what it was about: a noun and its id, like kind countdown, and never a name of a person",
    )
    about = ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+", index=False, help_text="whose that is")
    about_id: int | None
    count = IntegerField(default=1, help_text="how many it was about")
    before = JSONField(null=True, help_text="what it was, where it has become something else")
    after = JSONField(null=True)
    reason = CharField(max_length=LONGEST_REASON, default="", help_text="why, as the actor says")
    outcome = CharField(max_length=8, help_text="in Outcome")
    error = CharField(max_length=LONGEST_ERROR, default="", help_text="why it was refused")

    class Meta:
        table_name = "audit_entries"
        indexes = (
            (("actor", "id"), False),
            (("about", "id"), False),
            (("action", "id"), False),
            (("target", "id"), False),
        )

    @classmethod
    def of_target(cls, target: str, most: int = 20) -> list["AuditEntry"]:
        """The latest about one thing, like `kind countdown`, the newest first. One query, by index."""
        return list(cls.select().where(cls.target == target).order_by(cls.id.desc()).limit(most))

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that are older than they are kept; returns how many that were."""
        old = cls.select(cls.id).where(cls.at < utcnow() - _keep).order_by(cls.at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


also_purge(AuditEntry, AuditEntry.purge)


def configure(days: int) -> None:
    """For how many days entries are kept."""
    global _keep
    _keep = timedelta(days=days)


@contextmanager
def audit(
    asker: Asker, action: Audited, target: str, *, about: User | int | None = None, reason: str = ""
) -> Iterator[AuditEntry]:
    """Do within the block what is audited: the entry is committed with it, and says `done`.

    The block may say more on the entry: `count`, `before`, `after`, a better `target`. What it raises undoes all that
    it did; then the entry alone is written, in a transaction of its own, and says `refused` and why. Call it in no
    transaction of your own. One write besides those of the block.
    """
    try:
        with entered(asker, action, target, about=about, reason=reason) as entry:
            yield entry
    except Exception as error:
        record_refusal(asker, action, target, why(error), about=about, reason=reason)
        raise


@contextmanager
def entered(
    asker: Asker, action: Audited, target: str, *, about: User | int | None = None, reason: str = ""
) -> Iterator[AuditEntry]:
    """The same for a caller who records a refusal themselves, once any transaction around this is undone."""
    entry = _entry(asker, action, target, about, reason)
    with database.transaction():
        yield entry
        entry.outcome = Outcome.DONE
        entry.save(force_insert=True)


def record_refusal(
    asker: Asker, action: Audited, target: str, why: str, *, about: User | int | None = None, reason: str = ""
) -> None:
    """Keep that somebody asked for this, and did not get it. One write."""
    entry = _entry(asker, action, target, about, reason)
    entry.outcome, entry.error = Outcome.REFUSED, why[:LONGEST_ERROR]
    with database.transaction():
        entry.save(force_insert=True)


def why(error: Exception) -> str:
    """What the audit says of an error: its words, and of one of the database, which repeats what is in rows, its name
    alone."""
    words = "" if isinstance(error, PeeweeException) else str(error)
    return words or type(error).__name__


def _entry(asker: Asker, action: Audited, target: str, about: User | int | None, reason: str) -> AuditEntry:
    user = asker.user
    who: dict[str, Any] = {"actor": user and user.id, "command_user": asker.command_user[:LONGEST_NAME]}
    who |= {"role": user and user.role, "via": asker.via.value, "token_id": asker.token_id, "network": asker.network}
    about_id = about.id if isinstance(about, User) else about
    what = {"action": action.value, "target": target[:LONGEST_TARGET], "about": about_id}
    return AuditEntry(**who, **what, request_id=asker.request_id, reason=reason[:LONGEST_REASON])
