"""Deletion batches: delete what is due, a little at a time, as a purge calls for it.

Each batch is one short transaction that finds anew what is left, so it does not matter where the one before was cut
off, nor whether two workers do this at once. It waits for no lock of others. Several accounts share one, as most of
them have little.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from tasks.engine.models.removal import key_of
from tasks.engine.models.state import FINISHED
from tasks.engine.retention import also_purge
from webapp.db import locking
from webapp.lib.times import utcnow
from webapp.models import Task, User, idle_guests
from webapp.models.deletion import Deletion
from webapp.models.deletion_table import FATES
from webapp.models.usernames import deleted_name

log = logging.getLogger(__name__)

ACCOUNTS_AT_ONCE = 50  # in a batch
TASKS_TAKE = timedelta(minutes=5)  # to stop, and to be purged; then a worker looks again
LONG_AGO = datetime(1970, 1, 1)  # what was old then is purged next
NOTHING: dict[str, Any] = {"about": "", "time_zone": "UTC", "hearing": None, "mail_after": None, "totp_secret": None}
NOTHING |= {"email": "", "email_confirmed_at": None, "email_grace_ends_at": None, "password_hash": "", "role": None}
NOTHING |= {"totp_last_step": None, "created_at": LONG_AGO, "seen_at": LONG_AGO, "skeleton": None}
NOTHING |= {"picture_version": None, "hides_seen": False, "blocks_since": None, "network_group": None}


def delete_some(at_once: int) -> int:
    """Delete about so many rows of accounts whose time has come; returns how many there were, 0 where none is due.

    Then begin with guests who have gone. In a transaction.
    """
    due = _claim()
    if not due:
        return idle_guests.delete_some(min(at_once, ACCOUNTS_AT_ONCE))
    return _delete_rows(due, at_once) or _age_tasks(due, at_once) or _finish(due, at_once)


also_purge(Deletion, delete_some)


def _claim() -> list[Deletion]:
    """Some of those that are due, with their accounts locked; none that somebody else has. None can be taken back."""
    now = utcnow()
    is_due = (Deletion.look_at <= now) & (Deletion.due_at <= now)
    found = Deletion.select().where(is_due).order_by(Deletion.look_at, Deletion.id).limit(ACCOUNTS_AT_ONCE)
    accounts = User.select(User.id).where(User.id.in_([each.user_id for each in found]))
    held = [user.id for user in locking(accounts, "NO KEY UPDATE", skip_locked=True)]
    mine = list(locking(Deletion.select().where(Deletion.user.in_(held), is_due), skip_locked=True)) if held else []
    fresh = [each.id for each in mine if each.begun_at is None]
    if fresh:
        Deletion.update(begun_at=now).where(Deletion.id.in_(fresh)).execute()
    return mine


def _delete_rows(due: list[Deletion], most: int) -> int:
    """Delete at most so many rows that only these accounts have; returns how many that were."""
    left = most
    for model, fate in FATES.items():
        if fate.theirs and left > 0:
            some: Any = model.select(*_key(model)).where(fate.theirs(due)).limit(left)
            left -= model.delete().where(key_of(model).in_(locking(some, skip_locked=True))).execute()
    return most - left


def _key(model: Any) -> list[Any]:
    names = getattr(model._meta.primary_key, "field_names", None)
    return [getattr(model, name) for name in names] if names else [model._meta.primary_key]


def _age_tasks(due: list[Deletion], most: int) -> int:
    """Have finished tasks purged as if they were old; workflows with their children."""
    theirs = Task.user.in_(_users(due)), ~Task.hidden, Task.parent.is_null(), Task.finished_at.is_null(False)
    some = Task.select(Task.id).where(*theirs, Task.state.in_(sorted(FINISHED))).limit(most)
    aged = Task.update(hidden=True, finished_at=LONG_AGO).where(Task.id.in_(locking(some, skip_locked=True)))
    return int(aged.execute())


def _finish(due: list[Deletion], most: int) -> int:
    """Only tasks are left, and what others have of these accounts. Returns the number of accounts or rows done."""
    with_tasks = {task.user_id for task in Task.select(Task.user).where(Task.user.in_(_users(due))).distinct()}
    waiting = [each.id for each in due if each.user_id in with_tasks]
    if waiting:  # what has not been canceled yet is, by the next sweep
        again = {"look_at": utcnow() + TASKS_TAKE, "stopped_at": None}
        Deletion.update(again).where(Deletion.id.in_(waiting)).execute()
    ready = [each for each in due if each.user_id not in with_tasks]
    if not ready:
        return len(waiting)
    for fate in FATES.values():
        if fate.last and (number := fate.last(ready, most)):
            return number
    return _forget(ready)


def _users(due: list[Deletion]) -> list[int]:
    return [each.user_id for each in due]


def _forget(ready: list[Deletion]) -> int:
    """Delete the rows of accounts of which nothing else is left, or empty them where others have something of them."""
    user_ids = _users(ready)
    Deletion.delete().where(Deletion.user.in_(user_ids)).execute()
    unneeded = [~fate.keeps() for fate in FATES.values() if fate.keeps]
    User.delete().where(User.id.in_(user_ids), *unneeded).execute()
    for user in User.select(User.id).where(User.id.in_(user_ids)):
        alias = deleted_name()
        User.update(NOTHING | {"username": alias, "username_key": alias}).where(User.id == user.id).execute()
    log.info("Accounts have been deleted", extra={"fields": {"account_ids": user_ids}})
    return len(ready)
