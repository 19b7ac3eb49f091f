"""Message: something that one person wrote to another, for these two alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from peewee import SQL, AutoField, Case, DateTimeField, ForeignKeyField, ModelSelect, TextField, fn

from webapp.database import BaseModel, database
from webapp.models.notice import Notice
from webapp.models.notification import UNREAD_MESSAGE_COUNT, Notification
from webapp.models.user import User
from webapp.times import utcnow

MESSAGE_LENGTH = 2000


@dataclass(frozen=True)
class Conversation:
    """All that one person and another wrote to each other, as the first of them sees it in their inbox."""

    other: User
    latest: "Message"
    unread: int


class Message(BaseModel):
    """A text of 1 to MESSAGE_LENGTH characters. Its recipient reads it once; until then it counts as unread."""

    id = AutoField()
    sender = ForeignKeyField(User, on_delete="CASCADE", index=False)
    sender_id: int
    recipient = ForeignKeyField(User, on_delete="CASCADE", index=False)
    recipient_id: int
    body = TextField()
    created_at = DateTimeField(default=utcnow)
    read_at = DateTimeField(null=True)

    class Meta:
        indexes = (
            (("sender", "recipient", "created_at", "id"), False),  # a conversation, from either side
            (("recipient", "read_at"), False),  # what is unread
        )

    @classmethod
    def send(cls, sender: User, recipient: User, body: str) -> Self:
        """Write a message, and let the open pages of both know. Raises ValueError for one to oneself."""
        if sender.id == recipient.id:
            raise ValueError("nobody writes to themselves")
        with cls._counting(sender, recipient):
            Notice.put_message(recipient, sender)
            return cls.create(sender=sender, recipient=recipient, body=body)

    @classmethod
    def read(cls, reader: User, other: User) -> int:
        """Mark all that `other` wrote to the reader as read; returns how many were not. One query if none was."""
        unread = cls.recipient == reader, cls.sender == other, cls.read_at.is_null()
        if not cls.select().where(*unread).exists():
            return 0
        with cls._counting(other, reader):
            Notice.read_message(reader, other)
            return int(cls.update(read_at=utcnow()).where(*unread).execute())

    @classmethod
    def between(cls, one: User, other: User) -> "ModelSelect[Message]":
        """What two people wrote to each other, newest first."""
        there = (cls.sender == one) & (cls.recipient == other)
        back = (cls.sender == other) & (cls.recipient == one)
        return cls.select().where(there | back).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Message]":
        """All that somebody wrote or was written, newest first, each with both people: one query."""
        sender, recipient = User.alias(), User.alias()
        return (
            cls.select(cls, sender, recipient)
            .join_from(cls, sender, on=cls.sender)
            .join_from(cls, recipient, on=cls.recipient)
            .where((cls.sender == user) | (cls.recipient == user))
            .order_by(cls.created_at.desc(), cls.id.desc())
        )

    @classmethod
    def inbox(cls, user: User, limit: int) -> list[Conversation]:
        """The conversations of a person, the one with the latest message first. Three queries."""
        partner = Case(None, [(cls.sender == user.id, cls.recipient)], cls.sender)
        is_unread = Case(None, [((cls.recipient == user.id) & cls.read_at.is_null(), 1)], 0)
        rows: Any = (
            cls.select(partner.alias("partner"), fn.MAX(cls.id).alias("latest"), fn.SUM(is_unread).alias("unread"))
            .where((cls.sender == user) | (cls.recipient == user))
            .group_by(SQL("1"))  # by its number: a database does not see that two such cases are one
            .order_by(fn.MAX(cls.id).desc())
            .limit(limit)
            .tuples()
        )
        found = list(rows)
        latest = {message.id: message for message in cls.select().where(cls.id.in_([row[1] for row in found]))}
        others = {other.id: other for other in User.select().where(User.id.in_([row[0] for row in found]))}
        return [Conversation(others[partner], latest[last], int(unread)) for partner, last, unread in found]

    @classmethod
    @contextmanager
    def _counting(cls, sender: User, recipient: User) -> Iterator[None]:
        """A transaction that changes what of the sender's is unread for the recipient, and records how much that is.

        Both accounts are locked first, in the same order by everybody: two that write at once must not both count
        without the other.
        """
        with database.transaction():
            for user_id in sorted({sender.id, recipient.id}):
                User.count_change(user_id)
            yield
            unread = cls.select().where(cls.recipient == recipient, cls.read_at.is_null()).count()
            Notification.put(recipient.id, UNREAD_MESSAGE_COUNT, {"count": unread})
