"""NotificationRow: the columns of a notification, and what can be read from them."""

from typing import TYPE_CHECKING
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, JSONField, TextField

from tasks.engine.models.task import Task
from webapp.db import BaseModel
from webapp.db.traits import Trait, hide_references
from webapp.lib.kept_words import put_into_words
from webapp.lib.times import utcnow
from webapp.models.notification_kinds import KINDS, UNKNOWN, NotificationKind
from webapp.models.user import User


class NotificationRow(BaseModel):
    """A row of `notifications`. `Notification` and its traits have what changes it."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    name = CharField(max_length=40)
    task = ForeignKeyField(Task, null=True, on_delete="CASCADE")
    task_id: UUID | None
    sender = ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+", index=False, help_text="who wrote")
    sender_id: int | None
    # A unique key holds no two NULLs to be the same, so the key has this and not the task or the sender.
    scope = CharField(max_length=36, default="", help_text="the id of the task or sender; empty for the user's own")
    payload = JSONField(default=dict)
    updated_at = DateTimeField(default=utcnow)
    kind_name = CharField(
        column_name="kind", max_length=20, null=True, help_text="in KINDS; null if there was nothing to tell so far"
    )
    phrase = JSONField(null=True, help_text="what it says; null where the release before wrote it")
    text = TextField(null=True, help_text="the same in words, which the release before reads")
    told_at = DateTimeField(null=True, help_text="since when it has been listed; null if it is not")
    read_at = DateTimeField(null=True, help_text="when its user has read it, since it was told")

    class Meta:
        table_name = "notifications"
        indexes = ((("user", "name", "scope"), True), (("user", "updated_at", "id"), False))

    def __str__(self) -> str:
        return put_into_words(self.text or "", self.phrase)

    @property
    def kind(self) -> NotificationKind:
        """What it tells; UNKNOWN where only a later release has that kind."""
        return KINDS.get(self.kind_name or "", UNKNOWN)


_told = NotificationRow.told_at.is_null(False)
_unread = _told & NotificationRow.read_at.is_null()
NotificationRow.add_index(
    NotificationRow.user, NotificationRow.told_at, NotificationRow.id, where=_told, name="notifications_told"
)
NotificationRow.add_index(NotificationRow.user, NotificationRow.kind_name, where=_unread, name="notifications_unread")
NotificationRow.add_index(
    NotificationRow.sender, where=NotificationRow.sender.is_null(False), name="notifications_sender"
)
hide_references(NotificationRow)

if TYPE_CHECKING:
    NotificationTrait = NotificationRow
else:
    NotificationTrait = Trait
