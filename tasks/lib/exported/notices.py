"""What a person gets of what they were told: their notifications."""

from collections.abc import Mapping, Sequence
from typing import Any

from peewee import JOIN, Model, ModelSelect

from tasks.lib.exported.reasons import AS_WORDS, INNER, YOURS
from tasks.lib.exported.row import Column, Exported, Row, name_of
from webapp.models import Notification, User

_Sender: Any = User.alias()


def _notifications(user: User) -> "Sequence[ModelSelect[Any]]":
    """By what they are about: when they last changed changes while they are read, also by this."""
    found = Notification.select(Notification, _Sender.id, _Sender.username, _Sender.deletion_due_at)
    found = found.join(_Sender, JOIN.LEFT_OUTER, on=Notification.sender == _Sender.id, attr="sender")
    return [found.where(Notification.user == user.id).order_by(Notification.name, Notification.scope)]


ROWS: Mapping[type[Model], Row] = {
    Notification: Exported(
        file="notifications.json",
        title="your notifications",
        words="In no order of time.",
        of=_notifications,
        columns={
            "id": Column("the number of the notification"),
            "user": YOURS,
            "name": Column("what it is about: a task, a conversation, unread messages or sign-ins"),
            "task": Column("the id of that task, if it is about one"),
            "sender": Column(
                "the username of whoever wrote, if it is about messages", value=name_of("sender", "sender")
            ),
            "scope": INNER,
            "payload": Column("what else it knows, such as how many messages are unread"),
            "updated_at": Column("when it last changed"),
            "kind_name": Column("the kind of news; null if there was none yet", name="kind"),
            "phrase": AS_WORDS,
            "text": Column("what it says", value=str),
            "told_at": Column("since when it has been in your list; null if it isn't"),
            "read_at": Column("when you read it"),
        },
    ),
}
