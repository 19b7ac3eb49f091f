"""Stopping: what an account that is to be deleted has under way, and what others were told of it, ends at once."""

import time
from datetime import timedelta
from typing import Any

from peewee import SQL

from tasks.engine.models import bulk
from tasks.engine.models.task import Task
from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models.deletion import Deletion
from webapp.models.notification import Notification
from webapp.models.user import User

STOPPED_AT_ONCE = 200  # tasks and notifications in one go
STOP_FOR = 1.0  # seconds
SETTLED = timedelta(minutes=1)  # by then no request is under way any more that began while the account was in use


def stop(deletion: Deletion, most: int = STOPPED_AT_ONCE, longest: float = STOP_FOR) -> bool:
    """Cancel the account's tasks, scheduled ones, too, and take back what others were notified of it; for so many
    seconds, and at most so many. Returns whether all of that is done. Each task is a transaction of its own."""
    mine = Task.select().where(Task.user == deletion.user_id, Task.parent.is_null(), ~Task.hidden)
    active = mine.where(Task.finished_at.is_null()).order_by(Task.created_at.desc())
    pressed = bulk.press("cancel", active, most, longest)
    if not _take_back_notifications(deletion, most) or pressed.left:
        return False
    if deletion.requested_at < utcnow() - SETTLED:  # else the sweeper looks again for what is still being started
        Deletion.update(stopped_at=utcnow()).where(Deletion.id == deletion.id).execute()
    return True


def stop_some(at_once: int) -> None:
    """Go on with what `stop` has left, for about STOP_FOR. One small query, by index, where it has left nothing."""
    until = time.monotonic() + STOP_FOR
    for deletion in Deletion.select().where(SQL("stopped_at IS NULL")).order_by(Deletion.id).limit(at_once):
        if (left := until - time.monotonic()) > 0:
            stop(deletion, at_once, left)


def _take_back_notifications(deletion: Deletion, most: int) -> bool:
    """Delete at most so many that say who wrote, and refresh the open pages of their readers; whether none is left."""
    told = Notification.select(Notification.id).where(Notification.sender == deletion.user_id)
    with database.atomic():
        rows: Any = locking(told.select(Notification.id, Notification.user).limit(most), skip_locked=True).tuples()
        some = list(rows)
        Notification.delete().where(Notification.id.in_([notification_id for notification_id, _ in some])).execute()
        for reader_id in sorted({reader_id for _, reader_id in some}):
            User.count_change(reader_id)
    return not told.exists()
