"""StorageCount: how many bytes are stored for each person, and whether there is room for more.

Triggers keep the sums (migration 0041), in the transaction of whatever is written or deleted, whoever does that: so
nothing has to add up a person's files. On PostgreSQL a person may have several rows of a kind, of which a transaction
takes one that is free: nobody waits for anybody who stores something for the same person.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from peewee import BigIntegerField, CharField, ForeignKeyField, fn

from webapp.db import BaseModel, Param, Row, compiled
from webapp.lib.quota_variables import Quota
from webapp.models.quotas import demand, most_of
from webapp.models.user import User
from webapp.models.user_row import UserRow


class StorageKind(StrEnum):
    """What counts: what people give a task, what tasks make, what goes with a mail, and what is written in mails."""

    UPLOAD = "upload"
    MADE = "made"
    ATTACHMENT = "attachment"
    TEXT = "text"


class StorageCount(BaseModel):
    """So many bytes of a kind. What a person has of it is the sum of these rows. Only triggers write them."""

    user = ForeignKeyField(UserRow, on_delete="CASCADE", index=False, backref="+")
    kind = CharField(max_length=12)
    size = BigIntegerField()

    class Meta:
        table_name = "storage_counts"
        indexes = ((("user", "kind"), False),)


def stored_by(user_id: int) -> int:
    """How many bytes are stored for somebody. One query, of a few rows however much that is."""
    return int(_stored_by.first(user_id=user_id)[0])


def stored_by_kind(user_id: int) -> dict[StorageKind, int]:
    """The same by what it is. One query."""
    sums = StorageCount.select(StorageCount.kind, fn.SUM(StorageCount.size)).where(StorageCount.user == user_id)
    rows: Iterable[Row] = sums.group_by(StorageCount.kind).tuples()
    found = {kind: int(size) for kind, size in rows}
    return {kind: found.get(kind, 0) for kind in StorageKind}


def demand_room(user: UserRow, size: int) -> None:
    """Raise OverQuota, having done nothing, unless somebody may store so many bytes more.

    Whoever else asks for the same person waits until the open transaction ends, so that two are not both let by.
    RuntimeError where none is open. Two queries; none where it is unlimited, or nothing is added.
    """
    if size > 0 and most_of(Quota.STORAGE, user) is not None:
        User.hold(user.id)
        demand(Quota.STORAGE, stored_by(user.id) + size, user)


@compiled
def _stored_by() -> Any:
    theirs = StorageCount.user == Param("user_id")
    return StorageCount.select(fn.COALESCE(fn.SUM(StorageCount.size), 0)).where(theirs)
