"""Message: a private message from one person to another."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from peewee import ModelSelect, Tuple, Value

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.block import Block
from webapp.models.conversation import Conversation
from webapp.models.mailed_messages import UNREAD_FOR, MailedMessages
from webapp.models.message_row import MessageRow
from webapp.models.notification import Notification
from webapp.models.notification_kinds import MESSAGE, UNREAD_MESSAGE_COUNT
from webapp.models.quotas import use_for_message
from webapp.models.searched_rows import Place
from webapp.models.user import User

READ_AT_ONCE = 1000


class NobodyThere(Exception):
    """The account of whom somebody would write to was deleted, or is suspended."""


class Message(MailedMessages, MessageRow):
    """What is done with messages; their columns are in `MessageRow`, and what their senders change in
    `message_changes`."""

    @classmethod
    def send(cls, sender: User, recipient: User, body: str) -> Self:
        """Write a message, and refresh the open pages of both people.

        Raises Blocked where one of them blocks the other, NobodyThere, OverQuota, and ValueError if they are the same.
        """
        if sender.id == recipient.id:
            raise ValueError("nobody writes to themselves")
        if recipient.is_deleted or recipient.is_suspended:
            raise NobodyThere
        with cls.counting(sender, recipient):
            Block.demand_none(sender, recipient)
            use_for_message(sender, recipient, cls._newest_ids(recipient, sender, 1, None))
            Notification.tell_message(recipient, sender)
            due = utcnow() + UNREAD_FOR if recipient.wants_email_about(MESSAGE) else None
            return cls.create(sender=sender, recipient=recipient, body=body, mail_due_at=due)

    @classmethod
    def read(cls, reader: User, other: User) -> int:
        """Mark the messages from `other` to the reader as read; returns how many were unread. One query if none was.

        In transactions of READ_AT_ONCE, so that others can write in between.
        """
        marked = 0
        while cls.is_unread(reader, other):
            marked += cls._read(reader, other)
        return marked

    @classmethod
    def is_unread(cls, reader: User, other: User) -> bool:
        """Whether the reader has unread messages from the other person. One query."""
        return bool(cls._unread(reader, other).exists())

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[Message]":
        """The messages that this person may see: those that they wrote or got."""
        return cls.select().where((cls.sender == user) | (cls.recipient == user))

    @classmethod
    def find(cls, user: User, other: User, message_id: int) -> Self | None:
        """A message between two people, also one that was deleted; None if it is none. One query."""
        with_other = (cls.sender == other.id) | (cls.recipient == other.id)
        found: Self | None = cls.visible_to(user).where(cls.id == message_id, with_other).first()
        return found

    @classmethod
    def between(cls, one: User, other: User, limit: int, after: Place | None = None) -> list[Self]:
        """The newest messages between two people, the newest first, at most `limit`; those after a place. One query.

        By index, which has each direction in that order: no more than twice the limit are read.
        """
        there, back = cls._newest_ids(one, other, limit, after), cls._newest_ids(other, one, limit, after)
        found = cls.select().where(cls.id.in_(there.union_all(back)))
        return list(found.order_by(cls.created_at.desc(), cls.id.desc()).limit(limit))

    @classmethod
    def last_by(cls, sender: User, recipient: User) -> tuple[str, datetime] | None:
        """The last message of a conversation and its time, if `sender` wrote it. One query."""
        latest = cls.between(sender, recipient, 1)
        return (latest[0].body, latest[0].created_at) if latest and latest[0].sender_id == sender.id else None

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Message]":
        """All messages from or to a person, newest first, each with both people: one query."""
        sender, recipient = User.alias(), User.alias()
        found = cls.visible_to(user).select(cls, sender, recipient).join_from(cls, sender, on=cls.sender)
        return found.join_from(cls, recipient, on=cls.recipient).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def inbox(cls, user: User) -> "ModelSelect[Conversation]":
        """The conversations of a person, the latest first, each with its partner and latest message: one query."""
        found = Conversation.select(Conversation, User, cls).join(User, on=Conversation.partner)
        found = found.join_from(Conversation, cls, on=Conversation.latest_id == cls.id, attr="latest")
        return found.where(Conversation.user == user).order_by(Conversation.latest_id.desc())

    @classmethod
    @contextmanager
    def counting(cls, sender: User, recipient: User) -> Iterator[None]:
        """A transaction that changes the recipient's unread messages, and records their count at its end.

        It holds both people: two transactions at once would each count without the other's message.
        """
        with database.atomic():  # a savepoint: in a step of a task, the sender may go on after an error
            User.hold(sender.id, recipient.id)
            User.count_change(sender.id)
            yield
            count = Conversation.unread_messages(recipient)
            Notification.put(recipient.id, UNREAD_MESSAGE_COUNT, {"count": count})

    @classmethod
    def _unread(cls, reader: User, other: User) -> "ModelSelect[Message]":
        return cls.select(cls.id).where(cls.recipient == reader, cls.sender == other, cls.read_at.is_null())

    @classmethod
    def _read(cls, reader: User, other: User) -> int:
        """Mark at most READ_AT_ONCE as read; returns how many."""
        with cls.counting(other, reader):
            Notification.read_message(reader, other)
            some = cls._unread(reader, other).limit(READ_AT_ONCE)
            return int(cls.update(read_at=utcnow(), mail_due_at=None).where(cls.id.in_(some)).execute())

    @classmethod
    def _newest_ids(cls, sender: User, recipient: User, limit: int, after: Place | None) -> Any:
        """What one wrote to another."""
        written = cls.select(cls.id).where(cls.sender == sender, cls.recipient == recipient)
        if after:
            at = Value(after[0], converter=cls.created_at.db_value)
            written = written.where(Tuple(cls.created_at, cls.id) < Tuple(at, after[1]))
        newest = written.order_by(cls.created_at.desc(), cls.id.desc()).limit(limit)
        return newest.select_from(newest.c.id)  # a part of a union has no limit of its own
