"""Block: somebody from whom a person wants to hear nothing."""

from typing import Any

from peewee import AutoField, DateTimeField, ForeignKeyField, ModelSelect

from webapp.db import BaseModel
from webapp.lib.times import utcnow
from webapp.models.user import User
from webapp.models.user_row import UserRow

MOST_BLOCKED = 1000  # people by one person


class Blocked(Exception):
    """One of two people blocks the other, so that neither writes to the other; `by_sender` if it is who would write."""

    def __init__(self, *, by_sender: bool) -> None:
        super().__init__("one of these people blocks the other")
        self.by_sender = by_sender


class Block(BaseModel):
    """One for each person who is blocked and whoever blocks them. Written by `webapp.models.blocking` alone.

    `users.blocks_since` says whether somebody has any, so that for everybody else nothing is looked up.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False, backref="+", help_text="who blocks")
    user_id: int
    blocked = ForeignKeyField(User, on_delete="CASCADE", backref="+", help_text="whom")
    blocked_id: int
    created_at = DateTimeField(default=utcnow)

    class Meta:
        table_name = "blocks"
        indexes = ((("user", "blocked"), True), (("user", "created_at", "id"), False))

    @classmethod
    def by(cls, user: UserRow) -> "ModelSelect[Block]":
        """Those of a person, the latest first, each with whom they block: one query. None of deleted accounts."""
        there = User.deletion_due_at.is_null()
        found = cls.select(cls, User).join(User, on=cls.blocked).where(cls.user == user.id, there)
        return found.order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def ids_by(cls, user: UserRow, among: "list[int] | None" = None) -> Any:
        """The ids of those whom a person blocks, as a subquery; `among` narrows it."""
        found = cls.select(cls.blocked).where(cls.user == user.id)
        return found if among is None else found.where(cls.blocked.in_(among))

    @classmethod
    def blocked_among(cls, user: UserRow, people: "list[int]") -> set[int]:
        """Which of these people somebody blocks, by their ids. One query; none for who blocks nobody."""
        if not (user.blocks_since and people):
            return set()
        return {row.blocked_id for row in cls.ids_by(user, people)}

    @classmethod
    def is_by(cls, user: UserRow, other: UserRow) -> bool:
        """Whether a person blocks another. One query; none for who blocks nobody."""
        return bool(cls.blocked_among(user, [other.id]))

    @classmethod
    def demand_none(cls, sender: UserRow, recipient: UserRow) -> None:
        """Raise Blocked if either of two people blocks the other. For who holds both. One query."""
        either = ((cls.user == sender.id) & (cls.blocked == recipient.id)) | (
            (cls.user == recipient.id) & (cls.blocked == sender.id)
        )
        found = {row.user_id for row in cls.select(cls.user).where(either)}
        if found:
            raise Blocked(by_sender=sender.id in found)
