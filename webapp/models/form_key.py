"""FormKey: a form that somebody sent, and what came of it, so that the same form sent again makes nothing more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, TextField

from tasks.engine.models.task import Task
from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.times import utcnow
from webapp.models.user import User

KEEP = timedelta(days=1)


@dataclass(frozen=True)
class Made:
    """What came of a form: where that is shown, what to say of it, and the task if it started one."""

    location: str
    words: str = ""
    task: Task | None = None


class FormKey(BaseModel):
    """One row for each form, written in the transaction of what it made, and gone after KEEP or with its task."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    key = CharField(max_length=64, help_text="a digest of the form's key and of all that was in it")
    location = TextField(default="", help_text="the path of what it made")
    task = ForeignKeyField(Task, null=True, on_delete="CASCADE", help_text="what it started")
    task_id: UUID | None
    at = DateTimeField(default=utcnow, index=True)

    class Meta:
        indexes = ((("user", "key"), True),)

    @classmethod
    def sent(cls, user_id: int, key: str) -> str | None:
        """Where that is shown which this form has made already; None if it has made nothing. One query."""
        location: str | None = cls.select(cls.location).where(cls.user == user_id, cls.key == key).scalar()
        return location

    @classmethod
    def once(cls, user_id: int, key: str, make: Callable[[], Made]) -> Made | None:
        """What `make` returns, in one transaction with the key; None, and nothing made, for a form sent before.

        Of two at once the second waits for the first. What `make` raises undoes all, and the key is free again.
        """
        with database.atomic():
            if not cls.insert(user=user_id, key=key).on_conflict_ignore().as_rowcount().execute():
                return None
            made = make()
            changes = {"location": made.location, "task": made.task}
            cls.update(changes).where(cls.user == user_id, cls.key == key).execute()
        return made

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Forget at most so many of those that are older than KEEP; returns how many that were."""
        old = cls.select(cls.id).where(cls.at < utcnow() - KEEP).order_by(cls.at).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


also_purge(FormKey, FormKey.purge)
