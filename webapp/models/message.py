"""Message: a private message from one person to another."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from peewee import SQL, AutoField, Case, CharField, DateTimeField, ForeignKeyField, ModelSelect, fn

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.notification import Notification
from webapp.models.notification_kinds import MESSAGE, UNREAD_MESSAGE_COUNT
from webapp.models.search import Searched
from webapp.models.user import User

MESSAGE_LENGTH = 2000
UNREAD_FOR = timedelta(minutes=5)  # before it is mailed


@dataclass(frozen=True)
class Conversation:
    """The messages between two people, as the inbox of one of them shows them."""

    other: User
    latest: "Message"
    unread: int


class Message(Searched):
    """A text of 1 to MESSAGE_LENGTH characters, unread until its recipient opens the conversation."""

    id = AutoField()
    sender = ForeignKeyField(User, on_delete="CASCADE", index=False)
    sender_id: int
    recipient = ForeignKeyField(User, on_delete="CASCADE", index=False)
    recipient_id: int
    created_at = DateTimeField(default=utcnow)
    read_at = DateTimeField(null=True)
    mail_due_at = DateTimeField(null=True, index=True, help_text="when to mail it; null if never, or not any more")
    mail_key = CharField(max_length=50, null=True, help_text="the mail that tells of it, from just before it is sent")

    class Meta:
        indexes = (
            (("sender", "recipient", "created_at", "id"), False),  # a conversation, from either side
            (("recipient", "read_at"), False),  # the unread ones
        )

    @classmethod
    def send(cls, sender: User, recipient: User, body: str) -> Self:
        """Write a message, and refresh the open pages of both people. Raises ValueError if they are the same."""
        if sender.id == recipient.id:
            raise ValueError("nobody writes to themselves")
        with cls._counting(sender, recipient):
            Notification.tell_message(recipient, sender)
            due = utcnow() + UNREAD_FOR if recipient.wants_email_about(MESSAGE) else None
            return cls.create(sender=sender, recipient=recipient, body=body, mail_due_at=due)

    @classmethod
    def read(cls, reader: User, other: User) -> int:
        """Mark the messages from `other` to the reader as read; returns how many were unread. One query if none was."""
        if not cls.is_unread(reader, other):
            return 0
        unread = cls.recipient == reader, cls.sender == other, cls.read_at.is_null()
        with cls._counting(other, reader):
            Notification.read_message(reader, other)
            return int(cls.update(read_at=utcnow(), mail_due_at=None).where(*unread).execute())

    @classmethod
    def is_unread(cls, reader: User, other: User) -> bool:
        """Whether the reader has unread messages from the other person. One query."""
        return bool(cls.select().where(cls.recipient == reader, cls.sender == other, cls.read_at.is_null()).exists())

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[Message]":
        """The messages that this person may see: those that they wrote or got."""
        return cls.select().where((cls.sender == user) | (cls.recipient == user))

    @classmethod
    def between(cls, one: User, other: User) -> "ModelSelect[Message]":
        """The messages between two people, newest first."""
        there = (cls.sender == one) & (cls.recipient == other)
        back = (cls.sender == other) & (cls.recipient == one)
        return cls.select().where(there | back).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def last_by(cls, sender: User, recipient: User) -> tuple[str, datetime] | None:
        """The last message of a conversation and its time, if `sender` wrote it. One query."""
        latest = cls.between(sender, recipient).first()
        return (latest.body, latest.created_at) if latest and latest.sender_id == sender.id else None

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Message]":
        """All messages from or to a person, newest first, each with both people: one query."""
        sender, recipient = User.alias(), User.alias()
        return (
            cls.visible_to(user)
            .select(cls, sender, recipient)
            .join_from(cls, sender, on=cls.sender)
            .join_from(cls, recipient, on=cls.recipient)
            .order_by(cls.created_at.desc(), cls.id.desc())
        )

    @classmethod
    def inbox(cls, user: User, limit: int) -> list[Conversation]:
        """The conversations of a person, the one with the latest message first. Three queries."""
        partner = Case(None, [(cls.sender == user.id, cls.recipient)], cls.sender)
        is_unread = Case(None, [((cls.recipient == user.id) & cls.read_at.is_null(), 1)], 0)
        rows: Any = (
            cls.visible_to(user)
            .select(partner.alias("partner"), fn.MAX(cls.id).alias("latest"), fn.SUM(is_unread).alias("unread"))
            .group_by(SQL("1"))  # by its number: a database does not recognize the two CASEs as equal
            .order_by(fn.MAX(cls.id).desc())
            .limit(limit)
            .tuples()
        )
        found = list(rows)
        latest = {message.id: message for message in cls.select().where(cls.id.in_([row[1] for row in found]))}
        others = {other.id: other for other in User.select().where(User.id.in_([row[0] for row in found]))}
        return [Conversation(others[partner], latest[last], int(unread)) for partner, last, unread in found]

    # By mail. A message whose `mail_due_at` is set is to be mailed; with a `mail_key`, that mail may be on its way.

    @classmethod
    def mail_due(cls, limit: int) -> "ModelSelect[User]":
        """People with unread messages whose email is due. One query, by index."""
        due = cls.select(cls.recipient).where(cls.mail_due_at <= utcnow())
        return User.select().where(User.id.in_(due)).limit(limit)

    @classmethod
    def begin_mail(cls, reader: User) -> str | None:
        """Put all unread messages of a person into one email, and return its key; None if nothing is due.

        If an email was begun and not settled, nobody knows whether it was sent: then it is that one, with its messages
        that are still unread.
        """
        unread = cls._to_mail(reader)
        with cls._mailing_to(reader):
            begun: str | None = cls.select(cls.mail_key).where(unread, cls.mail_key.is_null(False)).limit(1).scalar()
            if begun or not cls.select().where(unread, cls.mail_due_at <= utcnow()).exists():
                return begun
            key = f"messages-{uuid4().hex}"
            cls.update(mail_key=key).where(unread).execute()
        return key

    @classmethod
    def of_mail(cls, reader: User, key: str) -> "ModelSelect[Message]":
        """The messages of an email that are still unread, oldest first."""
        return cls.select().where(cls._to_mail(reader), cls.mail_key == key).order_by(cls.id)

    @classmethod
    def put_mail_off(cls, reader: User, key: str) -> None:
        """Record that an email was not sent: its messages go into the next one."""
        with cls._mailing_to(reader):
            cls.update(mail_key=None).where(cls._to_mail(reader), cls.mail_key == key).execute()

    @classmethod
    def settle_mail(cls, reader: User, key: str | None = None) -> None:
        """Record that the messages of an email, or all that are due, need no email any more."""
        which = cls.mail_key == key if key else True
        with cls._mailing_to(reader):
            cls.update(mail_due_at=None).where(cls._to_mail(reader), which).execute()

    @classmethod
    def _to_mail(cls, reader: User) -> Any:
        return (cls.recipient == reader) & cls.read_at.is_null() & cls.mail_due_at.is_null(False)

    @classmethod
    @contextmanager
    def _mailing_to(cls, reader: User) -> Iterator[None]:
        """A transaction in which they read no message: it holds them, as reading does."""
        with database.transaction():
            User.hold(reader.id)
            yield

    @classmethod
    @contextmanager
    def _counting(cls, sender: User, recipient: User) -> Iterator[None]:
        """A transaction that changes the recipient's unread messages, and records their count at its end.

        It holds both people: two transactions at once would each count without the other's message.
        """
        with database.atomic():  # a savepoint: in a step of a task, the sender may go on after an error
            User.hold(sender.id, recipient.id)
            User.count_change(sender.id)
            yield
            unread = cls.select().where(cls.recipient == recipient, cls.read_at.is_null()).count()
            Notification.put(recipient.id, UNREAD_MESSAGE_COUNT, {"count": unread})
