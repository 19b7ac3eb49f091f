"""What a person gets of what they and others wrote: posts, messages, conversations."""

from collections.abc import Mapping, Sequence
from typing import Any

from peewee import JOIN, Model, ModelSelect

from tasks.lib.exported.reasons import FOR_SEARCH, INNER, YOURS
from tasks.lib.exported.row import Column, Exported, Row, name_of
from webapp.models import Conversation, Message, Post, User

_Sender: Any = User.alias()
_Recipient: Any = User.alias()


def _messages(user: User) -> "Sequence[ModelSelect[Any]]":
    """Those that they wrote, then those that they got: each by its index, in the order of time.

    Of the former, people are told whether they were read, and not when.
    """
    columns = [column for column in Message._meta.sorted_fields if column is not Message.read_at]
    found = Message.select(
        *columns,
        Message.read_at.is_null(False).alias("was_read"),
        _Sender.id,
        _Sender.username,
        _Sender.deletion_due_at,
        _Recipient.id,
        _Recipient.username,
        _Recipient.deletion_due_at,
    )
    found = found.join_from(Message, _Sender, JOIN.LEFT_OUTER, on=Message.sender == _Sender.id, attr="sender")
    found = found.join_from(
        Message, _Recipient, JOIN.LEFT_OUTER, on=Message.recipient == _Recipient.id, attr="recipient"
    )
    found = found.order_by(Message.created_at, Message.id)
    got = found.where(Message.recipient == user.id)
    return [found.where(Message.sender == user.id), got.select_extend(Message.read_at)]


def _conversations(user: User) -> "Sequence[ModelSelect[Any]]":
    named = User.id, User.username, User.deletion_due_at
    found = Conversation.select(Conversation, *named).join(User, on=Conversation.partner)
    return [found.where(Conversation.user == user.id).order_by(Conversation.partner)]


ROWS: Mapping[type[Model], Row] = {
    Post: Exported(
        file="posts.json",
        title="your posts",
        words="Oldest first. A site like this one can import this file.",
        of=lambda user: [Post.by(user)],
        columns={
            "id": Column("the number of the post"),
            "user": YOURS,
            "body": Column("what you wrote"),
            "created_at": Column("when you posted it", name="timestamp"),
            "edited_at": Column("when you last edited it; null if you didn't"),
            "hidden": INNER,
            "task": Column("the id of the task that posted it for you; null if none did"),
            "terms": FOR_SEARCH,
        },
    ),
    Message: Exported(
        file="messages.json",
        title="your messages",
        words="First those that you wrote, then those that others wrote to you, each oldest first.",
        of=_messages,
        columns={
            "id": Column("the number of the message"),
            "sender": Column("the username of whoever wrote it", value=name_of("sender", "sender")),
            "recipient": Column("the username of whoever it was written to", value=name_of("recipient", "recipient")),
            "body": Column("the text"),
            "created_at": Column("when it was sent"),
            "read_at": Column("when you read it; null in messages that you wrote"),
            "edited_at": Column("when its writer last edited it"),
            "deleted_at": Column("when its writer deleted it; it has no text since"),
            "mail_due_at": INNER,
            "mail_key": INNER,
            "terms": FOR_SEARCH,
        },
        more={"is_read": Column("whether it has been read", value=lambda message: bool(message.was_read))},
    ),
    Conversation: Exported(
        file="conversations.json",
        title="your conversations",
        words="Their messages are in messages.json.",
        of=_conversations,
        columns={
            "id": INNER,
            "user": YOURS,
            "partner": Column("the username of the other person", value=name_of("partner", "partner")),
            "latest_id": Column("the number of its latest message", name="latest_message"),
            "unread": Column("how many messages in it you haven't read"),
        },
    ),
}
