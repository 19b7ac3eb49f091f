"""Messages of nobody: those between two deleted accounts. As long as one of the two is there, it has them."""

from typing import Any

from peewee import fn

from webapp.lib.times import utcnow
from webapp.models.conversation import Conversation
from webapp.models.deletion import Deletion
from webapp.models.fates.fate import Due
from webapp.models.form_key import KEEP, FormKey
from webapp.models.message import Message
from webapp.models.user import User


def has_messages() -> Any:
    """The condition for a row of `users` that it is one of the two people of some message."""
    return fn.EXISTS(Conversation.select(Conversation.id).where(Conversation.user == User.id))


def delete_some(ready: Due, most: int) -> int:
    """Delete at most so many messages that only these accounts have, or that they have with deleted ones; and then
    others' forms that lead to them. Returns how many rows that were. In a transaction."""
    return _delete_messages([each.user_id for each in ready], most) or _delete_forms(ready)


def _delete_messages(user_ids: list[int], most: int) -> int:
    """Delete messages of a conversation with somebody whose account is deleted, too, or goes with these, and what then
    is left of the other account."""
    with_them = Conversation.select(Conversation.user, Conversation.partner).join(User, on=Conversation.partner)
    gone = with_them.where(Conversation.user.in_(user_ids), User.deletion_due_at.is_null(False))
    may_return = Deletion.select(Deletion.user).where(Deletion.user == User.id, Deletion.due_at > utcnow())
    found = gone.where(~fn.EXISTS(may_return)).first()
    if found is None:
        return 0
    me, other = found.user_id, found.partner_id
    there = (Message.sender == me) & (Message.recipient == other)
    between = there | ((Message.sender == other) & (Message.recipient == me))
    deleted = Message.delete().where(Message.id.in_(Message.select(Message.id).where(between).limit(most))).execute()
    going = Deletion.select(Deletion.user).where(Deletion.user == other)  # there is more of it to delete
    User.delete().where(User.id == other, ~has_messages(), ~fn.EXISTS(going)).execute()
    return int(deleted)


def _delete_forms(ready: Due) -> int:
    """Delete what is kept of forms by which others have lately written to them, as it names them."""
    lately = Message.select(Message.sender).where(Message.created_at > utcnow() - KEEP)
    if not lately.where(Message.recipient.in_([each.user_id for each in ready])).exists():
        return 0
    number = 0
    for each in ready:
        to_them = FormKey.user.in_(lately.where(Message.recipient == each.user_id))
        number += FormKey.delete().where(to_them, FormKey.location.contains(each.username)).execute()
    return number
