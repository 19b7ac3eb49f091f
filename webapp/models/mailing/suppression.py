"""Suppression: an address that gets no mail to many any more, from one sender or from anybody on this site."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Self

from peewee import SQL, AutoField, CharField, DateTimeField, ForeignKeyField, ModelSelect

from webapp.db import BaseModel, database
from webapp.lib.complete import complete
from webapp.lib.times import utcnow
from webapp.models.user import User

BATCH = 1000  # addresses in one query


class Reason(StrEnum):
    """Why an address gets no mail."""

    UNSUBSCRIBED = "unsubscribed"  # by whoever reads its mail
    REFUSED = "refused"  # for good: its mail server knows no such address
    ENTERED = "entered"  # by the sender
    OPERATOR = "operator"  # of this site

    @property
    def words(self) -> str:
        """As the sender of a mail reads it."""
        return WORDS[self]


WORDS = complete(
    "WORDS",
    Reason,
    {
        Reason.UNSUBSCRIBED: "Unsubscribed.",
        Reason.REFUSED: "Its mail server has refused it before: there is no such address.",
        Reason.ENTERED: "You suppressed it.",
        Reason.OPERATOR: "Suppressed by this site.",
    },
)
# What a sender may take back. What somebody has unsubscribed from is theirs to take back.
REMOVABLE = (Reason.REFUSED, Reason.ENTERED)


def reason_of(stored: str) -> Reason:
    """A reason as it was stored; one that only a later release knows is the site's."""
    return Reason(stored) if stored in set(Reason) else Reason.OPERATOR


def key_of(address: str) -> str:
    """What all spellings of a checked address have in common: its case is none of them."""
    return address.casefold()


class Suppression(BaseModel):
    """An address that is not to be mailed by a sender; by nobody, where there is none. One for each address and sender.

    It holds for mail to many alone, and outlives the mails that led to it. Those of a sender go with their account.
    """

    id = AutoField()
    sender = ForeignKeyField(User, null=True, on_delete="CASCADE", index=False, help_text="null for the whole site")
    sender_id: int | None
    address = CharField(max_length=320, help_text="as `key_of` has it")
    reason = CharField(max_length=12)
    created_at = DateTimeField(default=utcnow)

    class Meta:
        table_name = "mail_suppressions"
        indexes = ((("address", "sender"), True), (("sender", "created_at", "id"), False))

    @property
    def is_removable(self) -> bool:
        """Whether its sender may remove it."""
        return self.sender_id is not None and self.reason in REMOVABLE

    @property
    def words(self) -> str:
        """Why, in words."""
        return reason_of(self.reason).words

    @classmethod
    def of(cls, sender: User) -> "ModelSelect[Self]":
        """Those of one sender, newest first."""
        return cls.select().where(cls.sender == sender.id).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def of_site(cls) -> "ModelSelect[Self]":
        """Those of the whole site, newest first."""
        return cls.select().where(cls.sender.is_null()).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def add(cls, sender_id: int | None, addresses: Iterable[str], reason: Reason) -> int:
        """Suppress these checked addresses; returns how many were not suppressed so before. One query each BATCH.

        What an address is suppressed for already stays, except that who unsubscribes is not left to the sender.
        """
        now, keys, added = utcnow(), list(dict.fromkeys(map(key_of, addresses))), 0
        with database.atomic():
            for begin in range(0, len(keys), BATCH):
                batch = keys[begin : begin + BATCH]
                rows = [{"sender": sender_id, "address": key, "reason": reason, "created_at": now} for key in batch]
                added += len(list(cls.insert_many(rows).on_conflict_ignore().returning(cls.id)))
            if reason == Reason.UNSUBSCRIBED:
                theirs = cls._of_scope(sender_id), cls.address.in_(keys), cls.reason.in_(REMOVABLE)
                cls.update(reason=reason).where(*theirs).execute()
        return added

    @classmethod
    def remove(cls, sender_id: int | None, address: str, reasons: Iterable[Reason]) -> bool:
        """Let an address be mailed again, if it is suppressed for one of these reasons. One query."""
        which = cls._of_scope(sender_id), cls.address == key_of(address), cls.reason.in_(list(reasons))
        return bool(cls.delete().where(*which).execute())

    @classmethod
    def holding(cls, sender_id: int, addresses: Iterable[str]) -> dict[str, Reason]:
        """Which of these checked addresses are not mailed by this sender, by their keys, and why. One query a BATCH."""
        keys, found = list(dict.fromkeys(map(key_of, addresses))), dict[str, Reason]()
        for begin in range(0, len(keys), BATCH):
            which = cls.address.in_(keys[begin : begin + BATCH]), cls.sender.is_null() | (cls.sender == sender_id)
            found |= {row.address: reason_of(row.reason) for row in cls.select(cls.address, cls.reason).where(*which)}
        return found

    @classmethod
    def standing(cls, sender_id: int | None, address: str) -> tuple[str | None, str | None]:
        """Why an address gets nothing from one sender, and from the whole site; None where it does. One query."""
        which = cls.address == key_of(address), cls.sender.is_null() | (cls.sender == sender_id)
        found = {row.sender_id: row.reason for row in cls.select(cls.sender, cls.reason).where(*which)}
        return found.get(sender_id) if sender_id else None, found.get(None)

    @classmethod
    def _of_scope(cls, sender_id: int | None) -> Any:
        return cls.sender.is_null() if sender_id is None else cls.sender == sender_id


Suppression.add_index(
    Suppression.address, unique=True, where=SQL("sender_id IS NULL"), name="mail_suppressions_of_site"
)


def suppressing(address: Any, sender: Any) -> Any:
    """The query for whatever keeps this sender from an address: for a statement of which it is a part."""
    row = Suppression
    return row.select(SQL("1")).where(row.address == address, row.sender.is_null() | (row.sender == sender))
