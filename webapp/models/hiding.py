"""Hiding: of accounts that are to be deleted, what `FATES` has hidden, and shown again when somebody returns."""

from typing import Any

from peewee import SQL

from tasks.engine.retention import also_purge
from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models.deletion import Deletion
from webapp.models.deletion_table import FATES
from webapp.models.user import User

SHOWN_AT_ONCE = 500  # rows of somebody who has just returned


def hide_or_show(at_once: int = SHOWN_AT_ONCE) -> int:
    """Show at most so many rows of an account that was taken back, or else hide so many of one that is to be deleted;
    returns how many steps of that were done, 0 where there is nothing to do. Two small queries then."""
    with database.atomic():
        if returned := _first(SQL("returned_at IS NOT NULL")):
            number = _set(returned, hidden=False, most=at_once)
            if number < at_once:
                returned.delete_instance()
            return max(1, number)
        if leaving := _first(SQL("hidden_at IS NULL")):
            number = _set(leaving, hidden=True, most=at_once)
            if number < at_once:
                Deletion.update(hidden_at=utcnow()).where(Deletion.id == leaving.id).execute()
            return max(1, number)
    return 0


also_purge(User, hide_or_show)


def _first(which: Any) -> Deletion | None:
    found: Deletion | None = locking(Deletion.select().where(which).order_by(Deletion.id), skip_locked=True).first()
    return found


def _set(deletion: Deletion, *, hidden: bool, most: int) -> int:
    number = 0
    for fate in FATES.values():
        if fate.hide and number < most:
            number += fate.hide(deletion.user_id, hidden, most - number)
    return number
