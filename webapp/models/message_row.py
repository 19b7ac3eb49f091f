"""MessageRow: the columns of a private message, and what can be read from them."""

from datetime import timedelta
from typing import TYPE_CHECKING

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField

from webapp.db.traits import Trait, hide_references
from webapp.lib.times import utcnow
from webapp.models.search import Searched
from webapp.models.user import User

MESSAGE_LENGTH = 2000
EDITABLE_FOR = timedelta(minutes=15)


class MessageRow(Searched):
    """A text of 1 to MESSAGE_LENGTH characters, unread until its recipient opens the conversation.

    Of a deleted one the row stays, without its text.
    """

    id = AutoField()
    sender = ForeignKeyField(User, on_delete="CASCADE", index=False)
    sender_id: int
    recipient = ForeignKeyField(User, on_delete="CASCADE", index=False)
    recipient_id: int
    created_at = DateTimeField(default=utcnow)
    read_at = DateTimeField(null=True)
    edited_at = DateTimeField(null=True, help_text="when its sender changed it last")
    deleted_at = DateTimeField(null=True, help_text="when its sender deleted it; since then it has no text")
    mail_due_at = DateTimeField(null=True, index=True, help_text="when to mail it; null if never, or not any more")
    mail_key = CharField(max_length=50, null=True, help_text="the mail that tells of it, from just before it is sent")

    class Meta:
        table_name = "messages"
        indexes = (
            (("sender", "recipient", "created_at", "id"), False),  # a conversation, from either side
            (("sender", "created_at", "id"), False),  # what one wrote, and
            (("recipient", "created_at", "id"), False),  # what one got, to be searched
            (("recipient", "read_at"), False),  # the unread ones
        )

    @property
    def is_editable(self) -> bool:
        """Whether its sender may still change its text."""
        return self.deleted_at is None and utcnow() - self.created_at < EDITABLE_FOR

    @property
    def version(self) -> str:
        """Which text it is, so that who changes one that has been changed meanwhile can be told."""
        return (self.edited_at or self.created_at).isoformat()


MessageRow.add_index(
    MessageRow.recipient, MessageRow.sender, where=MessageRow.read_at.is_null(), name="messages_unread"
)
hide_references(MessageRow)

if TYPE_CHECKING:
    MessageTrait = MessageRow
else:
    MessageTrait = Trait
