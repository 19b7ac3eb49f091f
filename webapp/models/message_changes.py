"""What the sender of a message may still do with it: change its text for some minutes, and delete it at any time.

Both hold the two people, as sending, reading and mailing do; so a mail has either the text of before or that of after.
"""

from webapp.db import database
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import quotas
from webapp.models.block import Block
from webapp.models.message import Message
from webapp.models.notification import Notification
from webapp.models.user import User


class TooLate(Exception):
    """It was sent longer than EDITABLE_FOR ago."""


class Changed(Exception):
    """It was edited or deleted since it was read."""


def edit(sender: User, message: Message, body: str) -> None:
    """Put another text in the place of what they sent, in the open pages of both people. The same text is no edit.

    Raises TooLate, Changed, and as `Message.send` does Blocked, and OverQuota, as each edit counts as a message.
    """
    if not message.is_editable:
        raise TooLate
    if body == message.body:
        return
    recipient = User.get_by_id(message.recipient_id)
    same = Message.edited_at.is_null() if message.edited_at is None else Message.edited_at == message.edited_at
    with database.transaction():
        User.hold(sender.id, recipient.id)
        Block.demand_none(sender, recipient)
        quotas.use(Quota.MESSAGES, sender)
        editing = Message.update(body=body, edited_at=utcnow())
        if not editing.where(Message.id == message.id, Message.deleted_at.is_null(), same).execute():
            raise Changed
        User.count_change(sender.id)
        User.count_change(recipient.id)


def delete(message: Message) -> bool:
    """Delete its text for both people, whether it was read or not; False if that was done before.

    The row stays, so that the conversation keeps its order. An unread one is not counted and not mailed any more, and
    the notification of it goes with the last that is unread.
    """
    sender, recipient = User.get_by_id(message.sender_id), User.get_by_id(message.recipient_id)
    now = utcnow()
    with Message.counting(sender, recipient):
        it = Message.id == message.id, Message.deleted_at.is_null()
        gone = {"body": "", "deleted_at": now, "edited_at": None, "mail_due_at": None}
        if not Message.update(gone).where(*it).execute():
            return False
        Message.update(read_at=now).where(Message.id == message.id, Message.read_at.is_null()).execute()
        if not Message.is_unread(recipient, sender):
            Notification.read_message(recipient, sender)
        User.count_change(recipient.id)
        return True
