"""Why a message was not sent or changed."""

from webapp.models import Blocked, User
from webapp.models.message_row import EDITABLE_FOR

DELETED = "This account was deleted, so your message wasn’t sent."
SUSPENDED = "This account is suspended, so your message wasn’t sent."
TOO_LATE = f"You can edit a message for {EDITABLE_FOR.seconds // 60} minutes after sending it. You can still delete it."


def why_not_message(blocked: Blocked, other: User) -> str:
    """Why, where one of two people blocks the other. Who is blocked learns no more than that."""
    if blocked.by_sender:
        return f"You blocked {other.username}. Unblock them to write to them."
    return f"You can’t message {other.username}."


def why_nobody_there(other: User) -> str:
    """Why a message reaches nobody who has that account."""
    return DELETED if other.is_deleted else SUSPENDED
