"""UserChanges: the counter that tells a person's open pages when to look again.

Every transaction about a person counts. If all wrote one row, each would hold its lock until its commit is on disk, and
so one person's tasks would end one after the other, however many workers there are. So the count is spread over rows:
each process has a slot, in which it counts for everybody, and whoever reads adds these up.
"""

import os
from functools import cached_property
from typing import Any

from peewee import BigIntegerField, CompositeKey, ForeignKeyField, SmallIntegerField, fn

from webapp.db import BaseModel, Param, before_commit, compiled, locking, locks_rows
from webapp.lib.times import present_second
from webapp.models.session import Session, hash_of_key, is_alive
from webapp.models.user_row import UserRow, UserTrait

SLOTS = 16  # rows a person at most: what a poll reads, and how many processes count for one person at once


class ChangeCount(BaseModel):
    """How often the processes of one slot have counted for a person; a release from before 0026 has one of its own."""

    user = ForeignKeyField(UserRow, on_delete="CASCADE", index=False, backref="+")
    slot = SmallIntegerField()
    number = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("user", "slot")


class UserChanges(UserTrait):
    """How often something has changed for a `User`. It grows with each commit that counts, and never goes back."""

    @classmethod
    def count_change(cls, user_id: int) -> None:
        """Let the user's open pages learn, at their next poll, that something on them has changed.

        However often it is called in a transaction, it writes once, just before the commit. It waits at most for
        another process of the same slot that commits something about the same person. Nothing for who is not there.
        """
        before_commit(_count_changes, user_id)

    @classmethod
    def changes_of(cls, key: str) -> tuple[int, int] | None:
        """The id and `changes` of the account that a session of this key belongs to, or None. One query, compiled.

        For polls, which mostly find nothing new: building a query and a whole row costs ten times as much. It leaves
        out the row of the account, so whatever ends sessions has to write to their rows.
        """
        found: tuple[int, int] | None = _changes_of.first(key_hash=hash_of_key(key), now=present_second())
        return found

    @cached_property
    def changes(self) -> int:
        """How often something had changed for them when the row was read, where it was by a session key; or else when
        this object is first asked, by one query."""
        return int(_changes_by_id.execute(user_id=self.id).fetchone()[0])


def _count_changes(user_ids: list[int]) -> None:
    slot = os.getpid() % SLOTS if locks_rows() else 0
    for user_id in user_ids:
        if not locks_rows() or not _count_again.execute(user_id=user_id, slot=slot).rowcount:
            _count_change.execute(user_id=user_id, slot=slot)


@compiled
def _count_again() -> Any:
    is_it = (ChangeCount.user == Param("user_id")) & (ChangeCount.slot == Param("slot"))
    return ChangeCount.update({ChangeCount.number: ChangeCount.number + 1}).where(is_it)


@compiled
def _count_change() -> Any:
    """The first time in a slot, PostgreSQL would lock the person after the row in the slot, which refers to them. Who
    writes a key of theirs has them before. So it locks them first.
    """
    person = UserRow.select(UserRow.id, Param("slot"), 1).where(UserRow.id == Param("user_id"))
    counting = ChangeCount.insert_from(
        locking(person, "KEY SHARE"), (ChangeCount.user, ChangeCount.slot, ChangeCount.number)
    )
    one_more = {ChangeCount.number: ChangeCount.number + 1}
    return counting.on_conflict(conflict_target=(ChangeCount.user, ChangeCount.slot), update=one_more)


def total_changes(user_id: Any = UserRow.id) -> Any:
    """`UserChanges.changes` of the person of this id, for a query that has it."""
    in_slots = ChangeCount.select(fn.SUM(ChangeCount.number)).where(ChangeCount.user == user_id)
    return fn.COALESCE(in_slots, 0).cast("BIGINT")


@compiled
def _changes_of() -> Any:
    return Session.select(Session.user, total_changes(Session.user)).where(is_alive())


@compiled
def _changes_by_id() -> Any:
    return UserRow.select(total_changes()).where(UserRow.id == Param("user_id"))
