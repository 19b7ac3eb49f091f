"""Messages by mail: which are to be mailed to whom, and which mail tells of each.

A message whose `mail_due_at` is set is to be mailed; with a `mail_key`, that mail may be on its way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from peewee import ModelSelect

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.message_row import MessageTrait
from webapp.models.user import User

UNREAD_FOR = timedelta(minutes=5)  # before it is mailed


class MailedMessages(MessageTrait):
    """What `Message` does for its mails. It is an outbox."""

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
        with cls._mailing_to(reader):
            if begun := cls.begun_mail(reader):
                return begun
            key = f"messages-{uuid4().hex}"
            return key if cls.join_mail(reader, key) else None

    @classmethod
    def begun_mail(cls, reader: User) -> str | None:
        """The email that was begun and not settled, with any message that is still unread; None if there is none."""
        begun = cls.select(cls.mail_key).where(cls._to_mail(reader), cls.mail_key.is_null(False)).limit(1).scalar()
        return str(begun) if begun else None

    @classmethod
    def join_mail(cls, reader: User, key: str) -> int:
        """Put all unread messages that are in no email into that one, if any is due; returns how many. For a
        transaction that holds the reader.
        """
        unread = cls._to_mail(reader) & cls.mail_key.is_null()
        if not cls.select().where(unread, cls.mail_due_at <= utcnow()).exists():
            return 0
        return int(cls.update(mail_key=key).where(unread).execute())

    @classmethod
    def of_mail(cls, reader: User, key: str) -> "ModelSelect[Any]":
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
