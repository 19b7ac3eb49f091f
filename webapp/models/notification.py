"""Notification: what a person is told, one record for each subject.

The subjects are each of their tasks, each that an operator has deleted, each conversation, the number of their unread
messages, and sign-ins from new browsers. A record is always up to date: the feed of the API reads `name`, `payload` and
`updated_at`. Once it has something to tell, it is also listed in the notification center, from `told_at` on, in the
words of its kind. What happens again is told again.

A record ends with its task, or with the account of either person; until then there is one, however much happens.
"""

from typing import Any
from uuid import UUID

from tasks.engine.models.row import TaskRow
from tasks.engine.models.task import Task
from webapp.db import Param, compiled, database, demand_transaction, locking, locks_rows, params_of
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow
from webapp.models.notification_kinds import (
    CONVERSATION,
    DELETED,
    DELETED_TASK,
    MESSAGE,
    TASK_PROGRESS,
    NotificationKind,
)
from webapp.models.notification_lists import NotificationLists
from webapp.models.notification_row import NotificationRow
from webapp.models.user import User

READ_AT_ONCE = 1000
MOST_DELETED = 50  # tasks of one person of which it is kept that an operator deleted them

Said = tuple[NotificationKind, Phrase]


class Notification(NotificationLists, NotificationRow):
    """The record of one subject: a `task_progress` a task, a `conversation` a sender, one `unread_message_count`."""

    @classmethod
    def put(
        cls,
        user_id: int,
        name: str,
        payload: dict[str, Any],
        task_id: UUID | None = None,
        sender_id: int | None = None,
        said: Said | None = None,
        scope: str = "",
    ) -> None:
        """Write the record in place of its predecessor and count the user's `changes` up, in one transaction.

        `payload` is small JSON. With what is `said` it is also listed, as unread and as new. Two writes; the user's
        open pages show it at their next poll.
        """
        now, scope = utcnow(), scope or str(task_id or sender_id or "")
        changes = {"payload": payload, "updated_at": now}
        if said:
            kind, phrase = said
            changes |= {"kind_name": kind.name, "phrase": phrase.as_json(), "text": str(phrase), "told_at": now}
        with database.transaction():
            record = {"user_id": user_id, "name": name, "scope": scope}
            replacing = _replace_and_tell if said else _replace
            if not replacing.execute(**record, **changes).rowcount:
                # Two may find nothing to replace and insert at once; the later one then replaces after all.
                row = {"user": user_id, "name": name, "task": task_id, "scope": scope}
                row |= {"sender": sender_id} if sender_id else {}
                update = changes | {"read_at": None} if said else changes
                inserting = cls.insert(**changes, **row)
                inserting.on_conflict(conflict_target=(cls.user, cls.name, cls.scope), update=update).execute()
            User.count_change(user_id)

    @classmethod
    def put_progress(cls, task: TaskRow, said: Said | None = None) -> None:
        """Put the record of a task as it is now. Two writes."""
        payload = {"state": task.state, "done": task.done, "total": task.total}
        cls.put(task.user_id, TASK_PROGRESS, payload, task.id, said=said)

    @classmethod
    def tell_end(cls, user: User, kind: NotificationKind, phrase: Phrase, task: TaskRow) -> None:
        """Put the record of a task that has ended, and list how, unless its user wants to hear nothing of that kind.

        `user` is its owner as `User.listening` has them. For the transaction of that end. Two writes.
        """
        cls.put_progress(task, (kind, phrase) if user.hears(kind).here else None)

    @classmethod
    def tell(cls, user: User, kind: NotificationKind, phrase: Phrase) -> None:
        """List something of a kind about neither a task nor a message, as unread and as new: one record a person.

        Unless that person wants to hear nothing of the kind. Two writes.
        """
        if user.hears(kind).here:
            cls.put(user.id, kind.subject, {}, said=(kind, phrase))

    @classmethod
    def tell_deletion(cls, user: User, phrase: Phrase, task: TaskRow) -> None:
        """List that an operator has deleted a task, which is gone; the latest MOST_DELETED of a person are kept.

        For who holds them. Three writes at most.
        """
        demand_transaction()
        if not user.hears(DELETED).here:
            return
        cls.put(user.id, DELETED_TASK, {}, said=(DELETED, phrase), scope=str(task.id))
        theirs = cls.select(cls.id).where(cls.user == user.id, cls.name == DELETED_TASK)
        cls.delete().where(cls.id.in_(theirs.order_by(cls.id.desc()).offset(MOST_DELETED))).execute()

    @classmethod
    def tell_message(cls, recipient: User, sender: User) -> None:
        """List that somebody wrote, as unread and as new; however much they write, it is one notification.

        For who holds the recipient. Three queries.
        """
        demand_transaction()
        reader = User.listening(recipient.id)
        if reader.hears(MESSAGE).here:
            said = MESSAGE, MESSAGE.phrase(sender.username)
            cls.put(reader.id, CONVERSATION, {}, sender_id=sender.id, said=said)

    # What has been read

    @classmethod
    def read_message(cls, reader: User, sender: User) -> None:
        """What they wrote has been read. For who holds the reader."""
        demand_transaction()
        its_record = cls.name == CONVERSATION, cls.scope == str(sender.id)
        cls.update(read_at=utcnow()).where(cls._unread_by(reader), *its_record).execute()

    @classmethod
    def read(cls, user: User, which: Any = True) -> int:
        """Mark all, or those `which` fit, as read; returns how many were not. Somebody else's stay as they are.

        In transactions of READ_AT_ONCE, so that others can write in between, however many there are.
        """
        unread = cls._unread_by(user) & which
        # A task that changes at this moment has its record, and may wait for the user in the end: not so the other way.
        some = locking(cls.select(cls.id).where(unread).limit(READ_AT_ONCE), "NO KEY UPDATE", skip_locked=True)
        marked = latest = cls._read(user, cls.id.in_(some))
        while latest == READ_AT_ONCE:
            latest = cls._read(user, cls.id.in_(some))
            marked += latest
        if locks_rows():
            changing: Any = cls.select(cls.task).where(unread, cls.task.is_null(False)).tuples()
            marked += sum(cls._read(user, unread & cls.about(task_id), task_id) for (task_id,) in list(changing))
        return marked

    @classmethod
    def _read(cls, user: User, which: Any, task_id: UUID | None = None) -> int:
        with database.transaction():
            if task_id:
                list(locking(Task.select(Task.id).where(Task.id == task_id), "NO KEY UPDATE"))
            User.hold(user.id)
            marked = int(cls.update(read_at=utcnow()).where(which).execute())
            if marked:
                User.count_change(user.id)
        return marked


# With every move and every progress of every task, and with every end.


@compiled
def _replace() -> Any:
    return Notification.update(params_of(Notification.payload, Notification.updated_at)).where(*_record())


@compiled
def _replace_and_tell() -> Any:
    told = params_of(Notification.kind_name, Notification.phrase, Notification.text, Notification.told_at)
    record = params_of(Notification.payload, Notification.updated_at)
    return Notification.update(record | told | {Notification.read_at: None}).where(*_record())


def _record() -> tuple[Any, ...]:
    owner, name, scope = Notification.user, Notification.name, Notification.scope
    return owner == Param("user_id"), name == Param("name"), scope == Param("scope")
