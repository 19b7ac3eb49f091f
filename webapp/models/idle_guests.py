"""Idle guests: accounts without a password whose owners have not been here for long. Nobody can come back to one from
another browser, so they are deleted, without the days to return that others have."""

from datetime import timedelta
from typing import Any

from peewee import SQL, fn

from tasks.engine.models.state import ACTIVE
from tasks.engine.models.task import Task
from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models.deletion import Deletion, row_of
from webapp.models.session import Session
from webapp.models.user import User

# In these words the databases know their index for it.
GUESTS = SQL("password_hash = '' AND deletion_due_at IS NULL")
User.add_index(User.seen_at, where=GUESTS, name="users_idle_guests")
_kept_for = timedelta(0)


def configure(days: int) -> None:
    """Have guests deleted after so many days without a visit; 0 is never."""
    global _kept_for
    _kept_for = timedelta(days=days)


def idle_guests(most: int) -> Any:
    """The query for those, the longest idle first. Who has a task that runs or is scheduled is not idle. By index."""
    working = Task.select(Task.id).where(Task.user == User.id, Task.state.in_(sorted(ACTIVE)))
    since = User.seen_at < utcnow() - _kept_for
    return User.select().where(GUESTS, since, ~fn.EXISTS(working)).order_by(User.seen_at).limit(most)


def delete_some(at_once: int) -> int:
    """Begin to delete at most so many; returns how many that were. It waits for nobody: who is just writing stays.

    In a few queries for all of them, as there may be a million: their rows keep the name until they go. Others are not
    shown it any more.
    """
    if not _kept_for:
        return 0
    with database.atomic():
        guests = list(locking(idle_guests(at_once), skip_locked=True))
        ids, now = [guest.id for guest in guests], utcnow()
        if guests:
            Deletion.insert_many([row_of(guest, now, now) | {"stopped_at": now} for guest in guests]).execute()
            User.update(deletion_due_at=now, email="", email_confirmed_at=None).where(User.id.in_(ids)).execute()
            Session.update(ends_at=now).where(Session.user.in_(ids), Session.ends_at > now).execute()
    return len(guests)
