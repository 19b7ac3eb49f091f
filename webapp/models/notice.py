"""Notice: something that happened and that a person may have missed; the notification centre lists them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import JOIN, AutoField, DateTimeField, ForeignKeyField, ModelSelect, TextField
from playhouse.fields import EnumField

from tasks.engine.models.task import Task
from webapp.db import BaseModel, compiled, database, demand_transaction, params_of
from webapp.lib.times import utcnow
from webapp.models.notification_preferences import NoticeKind
from webapp.models.user import User

MOST_SAID = 5  # at once


class Notice(BaseModel):
    """One thing that happened. It leads to its task, or to the conversation with `sender`."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    user_id: int
    kind = EnumField(NoticeKind, max_length=10)
    text = TextField()
    task = ForeignKeyField(Task, null=True, on_delete="CASCADE")
    sender = ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+", help_text="who wrote the message")
    created_at = DateTimeField(default=utcnow)
    read_at = DateTimeField(null=True)

    class Meta:
        indexes = ((("user", "created_at", "id"), False), (("user", "read_at"), False))

    @classmethod
    def put(
        cls, user: User, kind: NoticeKind, text: str, task_id: UUID | None = None, sender_id: int | None = None
    ) -> bool:
        """Add a notice, unless the user, as `User.listening` has them, wants to hear nothing of its kind. One write.

        The caller's transaction counts the user's `changes` up, as it does for what the notice is about.
        """
        if not user.hears(kind).here:
            return False
        _insert.execute(user=user.id, kind=kind, text=text, task=task_id, sender=sender_id, created_at=utcnow())
        return True

    @classmethod
    def put_message(cls, recipient: User, sender: User) -> None:
        """Say that somebody wrote; however much they write before it is read, it is one notice, and the latest.

        For who holds the recipient.
        """
        demand_transaction()
        cls._unread_from(recipient, sender, cls.delete())
        reader = User.listening(recipient.id)
        cls.put(reader, NoticeKind.MESSAGE, f"{sender.username} wrote to you", sender_id=sender.id)

    @classmethod
    def read_message(cls, reader: User, sender: User) -> None:
        """What they wrote has been read. For who holds the reader."""
        demand_transaction()
        cls._unread_from(reader, sender, cls.update(read_at=utcnow()))

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[Notice]":
        """The notices that this person may see."""
        return cls.select().where(cls.user == user)

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Notice]":
        """All of a person's notices, newest first, each with its sender: one query."""
        found = cls.select(cls, User).join(User, JOIN.LEFT_OUTER, on=cls.sender)
        return found.where(cls.user == user).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def unread(cls, user: User) -> int:
        """How many the person has not read, but for those about messages, which have a count of their own. One query.

        What is new is counted once: see `Notification.unread_messages`.
        """
        return int(cls._not_read_by(user).where(cls.kind != NoticeKind.MESSAGE).count())

    @classmethod
    def is_any_unread(cls, user: User) -> bool:
        """Whether there is anything to mark as read, of whatever kind. One query."""
        return bool(cls._not_read_by(user).exists())

    @classmethod
    def writers(cls, user: User, since: datetime) -> "list[tuple[Notice, str]]":
        """The latest few unread notices that somebody wrote, newest first, each with their user name. One query."""
        mine = cls.user == user, cls.read_at.is_null(), cls.kind == NoticeKind.MESSAGE, cls.created_at > since
        found = cls.select(cls, User).join(User, on=cls.sender).where(*mine).order_by(cls.created_at.desc())
        return [(notice, notice.sender.username) for notice in found.limit(MOST_SAID) if notice.sender]

    @classmethod
    def is_unread(cls, user: User, task_id: UUID) -> bool:
        """Whether the user has not read something about a task. One query, by its index."""
        return bool(cls.select().where(cls.task == task_id, cls.user == user, cls.read_at.is_null()).exists())

    @classmethod
    def read(cls, user: User, which: Any = True) -> int:
        """Mark all, or those `which` fit, as read; returns how many were not. Somebody else's stay as they are."""
        with database.transaction():
            User.hold(user.id)
            marked = cls.update(read_at=utcnow()).where(cls.user == user, cls.read_at.is_null(), which).execute()
            if marked:
                User.count_change(user.id)
        return int(marked)

    @classmethod
    def _not_read_by(cls, user: User) -> "ModelSelect[Notice]":
        return cls.select().where(cls.user == user, cls.read_at.is_null())

    @classmethod
    def _unread_from(cls, reader: User, sender: User, change: Any) -> None:
        mine = cls.user == reader, cls.kind == NoticeKind.MESSAGE, cls.sender == sender, cls.read_at.is_null()
        change.where(*mine).execute()


@compiled
def _insert() -> Any:
    written = Notice.user, Notice.kind, Notice.text, Notice.task, Notice.sender, Notice.created_at
    return Notice.insert(params_of(*written))
