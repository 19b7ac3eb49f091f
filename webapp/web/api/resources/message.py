"""Messages and conversations as one of their two people sees them."""

from dataclasses import dataclass
from typing import Final

from webapp.models import Conversation, Message, User
from webapp.web.api.resource import BOOLEAN, INTEGER, STRING, TIME, Field, Resource, nullable, time
from webapp.web.api.resources.person import PERSON, person


@dataclass(frozen=True)
class SeenMessage:
    """A message between these two."""

    message: Message
    user: User
    other: User

    @property
    def is_own(self) -> bool:
        """Whether the user wrote it."""
        return self.message.sender_id == self.user.id


@dataclass(frozen=True)
class SeenConversation:
    """A conversation of the user, from `Message.inbox`."""

    conversation: Conversation
    user: User
    is_blocked: bool

    @property
    def latest(self) -> SeenMessage:
        """The message that was written last."""
        return SeenMessage(self.conversation.latest, self.user, self.conversation.partner)


def _read_at(seen: SeenMessage) -> str | None:
    """Deletion marks a message as read, which its sender need not take for the truth."""
    return None if seen.message.deleted_at else time(seen.message.read_at)


MESSAGE: Final = Resource[SeenMessage](
    "Message",
    "What one person wrote to another.",
    (
        Field("id", INTEGER, lambda seen: seen.message.id),
        Field("sender", PERSON, lambda seen: person(seen.user if seen.is_own else seen.other)),
        Field("recipient", PERSON, lambda seen: person(seen.other if seen.is_own else seen.user)),
        Field(
            "body",
            nullable(STRING),
            lambda seen: None if seen.message.deleted_at else seen.message.body,
            "Null once its sender has deleted it.",
        ),
        Field("created_at", TIME, lambda seen: time(seen.message.created_at)),
        Field("edited_at", nullable(TIME), lambda seen: time(seen.message.edited_at)),
        Field("read_at", nullable(TIME), _read_at, "When its recipient read it."),
        Field("deleted_at", nullable(TIME), lambda seen: time(seen.message.deleted_at)),
    ),
    headers=("ETag",),
)
CONVERSATION: Final = Resource[SeenConversation](
    "Conversation",
    "All messages between you and one other person.",
    (
        Field("partner", PERSON, lambda seen: person(seen.conversation.partner)),
        Field("deleted", BOOLEAN, lambda seen: seen.conversation.partner.is_deleted, "Whether their account is."),
        Field("blocked", BOOLEAN, lambda seen: seen.is_blocked, "Whether you block them."),
        Field("unread", INTEGER, lambda seen: seen.conversation.unread, "Messages that you haven’t read."),
        Field("latest", MESSAGE.reference, lambda seen: MESSAGE.of(seen.latest), "The message that was written last."),
    ),
)
