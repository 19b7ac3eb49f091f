"""Notification: a record that something changed for one user; the feed that the live pages read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, JSONField

from tasks.engine.models.task import Task
from webapp.db import BaseModel, Param, compiled, database, params_of
from webapp.lib.times import utcnow
from webapp.models.user import User

TASK_PROGRESS = "task_progress"
UNREAD_MESSAGE_COUNT = "unread_message_count"


class Notification(BaseModel):
    """The latest of its kind: one `task_progress` for each task, one `unread_message_count` for each user."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    name = CharField(max_length=40)
    task = ForeignKeyField(Task, null=True, on_delete="CASCADE")
    # A unique key holds no two NULLs to be the same, so the key has this and not the task.
    scope = CharField(max_length=36, default="", help_text="the task's id, or empty for the user's own record")
    payload = JSONField(default=dict)
    updated_at = DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("user", "name", "scope"), True),)

    @classmethod
    def put(cls, user_id: int, name: str, payload: dict[str, Any], task_id: UUID | None = None) -> None:
        """Write the record in place of its predecessor and count the user's `changes` up, in one transaction.

        `payload` is small JSON. Two writes; the user's open pages show it at their next poll.
        """
        now, scope = utcnow(), str(task_id or "")
        with database.transaction():
            record = {"user_id": user_id, "name": name, "scope": scope}
            if not _replace.execute(**record, payload=payload, updated_at=now).rowcount:
                cls._insert(user_id, name, payload, task_id, scope, now)
            User.count_change(user_id)

    @classmethod
    def _insert(
        cls, user_id: int, name: str, payload: dict[str, Any], task_id: UUID | None, scope: str, now: datetime
    ) -> None:
        # Two may find nothing to replace and insert at once; the later one then replaces after all.
        cls.insert(user=user_id, name=name, task=task_id, scope=scope, payload=payload, updated_at=now).on_conflict(
            conflict_target=(cls.user, cls.name, cls.scope), update={cls.payload: payload, cls.updated_at: now}
        ).execute()

    @classmethod
    def unread_messages(cls, user: User) -> int:
        """How many private messages the user has not read, as last recorded. One query."""
        record = cls.get_or_none(cls.user == user, cls.name == UNREAD_MESSAGE_COUNT, cls.scope == "")
        return record.payload["count"] if record else 0


@compiled
def _replace() -> Any:
    owner, name, scope = Notification.user, Notification.name, Notification.scope
    written = params_of(Notification.payload, Notification.updated_at)
    record = owner == Param("user_id"), name == Param("name"), scope == Param("scope")
    return Notification.update(written).where(*record)
