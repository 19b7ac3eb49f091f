"""Conversation: the messages between two people, as the inbox of one of them lists them."""

from typing import Any

from peewee import SQL, AutoField, ForeignKeyField, IntegerField, fn

from webapp.db import BaseModel
from webapp.models.block import Block
from webapp.models.user import User
from webapp.models.usernames import username_key


class Conversation(BaseModel):
    """One for each of its two people, for as long as there is a message of it.

    Triggers on `messages` write them, whatever wrote the message: see the migration 0028. Nothing else does. From
    `Message.inbox`, each has its latest message as `latest`.
    """

    latest: Any  # a Message, of those that `Message.inbox` finds

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False, backref="+", help_text="whose inbox it is in")
    user_id: int
    partner = ForeignKeyField(User, on_delete="CASCADE", backref="+", help_text="the other person")
    partner_id: int
    latest_id = IntegerField(help_text="the message that was written last")
    unread = IntegerField(default=0, constraints=[SQL("DEFAULT 0")], help_text="messages that its user has not read")

    class Meta:
        table_name = "conversations"
        indexes = ((("user", "partner"), True), (("user", "latest_id"), False))

    @classmethod
    def deleted_partner(cls, user: User, username: str) -> User | None:
        """The person whose deleted account's row has this name, if these two have messages. One query."""
        theirs = User.select().join(cls, on=cls.partner == User.id).where(cls.user == user.id)
        key = username_key(username)
        found: User | None = theirs.where(User.username_key == key, User.deletion_due_at.is_null(False)).first()
        return found if key else None

    @classmethod
    def latest_partners(cls, user_id: int, most: int) -> list[int]:
        """The ids of at most so many people with whom somebody last wrote, the latest first. One query, by index."""
        theirs = cls.select(cls.partner).where(cls.user == user_id).order_by(cls.latest_id.desc()).limit(most)
        return [conversation.partner_id for conversation in theirs]

    @classmethod
    def unread_messages(cls, user: User) -> int:
        """How many messages a person has not read, but for those of people whom they block.

        One query, over their conversations with unread messages.
        """
        number = cls.select(fn.COALESCE(fn.SUM(cls.unread), 0)).where(cls.user == user, cls.unread > 0)
        return int(number.where(cls.partner.not_in(Block.ids_by(user))).scalar())


Conversation.add_index(
    Conversation.user, Conversation.unread, where=Conversation.unread > 0, name="conversations_unread"
)
