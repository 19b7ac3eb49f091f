"""NotificationLists: what a person's pages and programs show of their notifications."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from peewee import JOIN, ModelSelect, Select

from webapp.db import Param, compiled
from webapp.models.counting import number_of
from webapp.models.notification_kinds import KINDS, TASK_PROGRESS, UNREAD_MESSAGE_COUNT
from webapp.models.notification_row import NotificationRow, NotificationTrait
from webapp.models.user import User

MOST_SAID = 5  # at once


class NotificationLists(NotificationTrait):
    """The queries over `notifications`; each by an index, however many there are."""

    @classmethod
    def visible_to(cls, user: User) -> "ModelSelect[Self]":
        """A person's records, listed or not."""
        return cls.select().where(cls.user == user)

    @classmethod
    def of(cls, user: User) -> "ModelSelect[Self]":
        """All that is listed for a person, the latest first, each with its sender: one query, by index."""
        found = cls.select(cls, User).join(User, JOIN.LEFT_OUTER, on=cls.sender)
        return found.where(cls.user == user, cls.told_at.is_null(False)).order_by(cls.told_at.desc(), cls.id.desc())

    @classmethod
    def is_any_unread(cls, user: User, which: Any = True) -> bool:
        """Whether there is anything to mark as read, of whatever kind, or of those that `which` fit. One query."""
        return bool(cls.select().where(cls._unread_by(user), which).exists())

    @classmethod
    def badges(cls, user: User) -> tuple[int, int]:
        """How many private messages the person has not read, as last recorded, and how many notifications.

        Those of a kind with a badge of its own are left out: what is new is counted once. The others are counted as
        `count_some` does. One query, compiled.
        """
        stored, number = _badges.first(user_id=user.id)
        payload = cls.payload.python_value(stored) or {}  # type: ignore[no-untyped-call]  # Peewee's
        return int(payload.get("count", 0)), int(number)

    @classmethod
    def unread_messages(cls, user: User) -> int:
        """How many private messages the user has not read, as last recorded. One query, compiled."""
        return cls.badges(user)[0]

    @classmethod
    def unread(cls, user: User) -> int:
        """How many the person has not read, but for those with a badge of their own. One query, compiled."""
        return cls.badges(user)[1]

    @classmethod
    def writers(cls, user: User, since: datetime) -> list[tuple[Self, str]]:
        """Who lately wrote what is unread: the latest few, newest first, each with their user name. One query."""
        found = cls.select(cls, User).join(User, on=cls.sender).where(cls._unread_by(user), cls.told_at > since)
        latest = found.order_by(cls.told_at.desc()).limit(MOST_SAID)
        return [(said, said.sender.shown_name) for said in latest if said.sender]

    @classmethod
    def about(cls, task_id: UUID) -> Any:
        """The condition that it is the record of a task."""
        return (cls.name == TASK_PROGRESS) & (cls.scope == str(task_id))

    @classmethod
    def _unread_by(cls, user: User) -> Any:
        return _is_unread(cls, user)


def _is_unread(row: type[NotificationRow], user: User | Param) -> Any:
    # What is told has a kind. SQLite takes the index of what is unread only where that is said, too, and otherwise
    # goes through all that was ever told.
    return (row.user == user) & row.told_at.is_null(False) & row.kind_name.is_null(False) & row.read_at.is_null()


@compiled
def _badges() -> Any:
    row, user_id = NotificationRow, Param("user_id")
    messages = row.select(row.payload).where(row.user == user_id, row.name == UNREAD_MESSAGE_COUNT, row.scope == "")
    own = [kind.name for kind in KINDS.values() if kind.has_own_badge]
    return Select(
        columns=[messages, number_of(row.select().where(_is_unread(row, user_id), row.kind_name.not_in(own)))]
    )
