"""Blocking: what becomes of two people's messages when one of them blocks the other, and when that ends."""

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.block import MOST_BLOCKED, Block
from webapp.models.conversation import Conversation
from webapp.models.message import READ_AT_ONCE, Message
from webapp.models.notification import Notification
from webapp.models.notification_kinds import UNREAD_MESSAGE_COUNT
from webapp.models.user import User


class TooManyBlocks(Exception):
    """Somebody blocks MOST_BLOCKED people already."""


def block(user: User, other: User) -> bool:
    """Block another person; False if that was so already. What they wrote is not counted as unread any more, and not
    mailed. It is not read either: who is blocked learns nothing of it.

    A message that is being sent meanwhile is there before, or refused. Raises TooManyBlocks, and ValueError for
    oneself. In transactions of READ_AT_ONCE messages, of which the last one blocks.
    """
    if user.id == other.id:
        raise ValueError("nobody blocks themselves")
    while True:
        with database.transaction():
            User.hold(user.id, other.id)
            if Block.select().where(Block.user == user.id, Block.blocked == other.id).exists():
                return False
            if Block.select().where(Block.user == user.id).count() >= MOST_BLOCKED:
                raise TooManyBlocks
            if _settle_mails(user, other) == READ_AT_ONCE:
                continue
            Block.create(user=user.id, blocked=other.id)
            User.update(blocks_since=utcnow()).where(User.id == user.id, User.blocks_since.is_null()).execute()
            Notification.read_message(user, other)
            _count_unread(user)
            return True


def unblock(user: User, other: User) -> bool:
    """Block a person no longer; False if that was so already. What they wrote before, and was unread, is again."""
    with database.transaction():
        User.hold(user.id, other.id)
        if not Block.delete().where(Block.user == user.id, Block.blocked == other.id).execute():
            return False
        left = Block.select(Block.id).where(Block.user == user.id)
        if not left.exists():
            User.update(blocks_since=None).where(User.id == user.id).execute()
        _count_unread(user)
        return True


def _settle_mails(reader: User, sender: User) -> int:
    """Mail none of what they wrote, at most READ_AT_ONCE of it; returns how many that were."""
    unread = Message.recipient == reader.id, Message.sender == sender.id, Message.read_at.is_null()
    some = Message.select(Message.id).where(*unread, Message.mail_due_at.is_null(False)).limit(READ_AT_ONCE)
    return int(Message.update(mail_due_at=None).where(Message.id.in_(some)).execute())


def _count_unread(user: User) -> None:
    Notification.put(user.id, UNREAD_MESSAGE_COUNT, {"count": Conversation.unread_messages(user)})
