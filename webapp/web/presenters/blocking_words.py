"""What people are told where one of them blocks the other."""

from webapp.lib.i18n import number
from webapp.models import Blocked, User
from webapp.models.block import MOST_BLOCKED

TOO_MANY = f"You can block {number(MOST_BLOCKED)} people. Unblock somebody first."


def why_not_message(blocked: Blocked, other: User) -> str:
    """Why a message was not sent or changed. Who is blocked learns no more than that."""
    if blocked.by_sender:
        return f"You blocked {other.username}. Unblock them to write to them."
    return f"You can’t message {other.username}."
