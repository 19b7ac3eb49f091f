"""The files that go with a person's mails, as they are listed with all that they store, and deleted."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from peewee import JOIN

from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from webapp.db import database, locking
from webapp.models.mailing.attachments import MailingFile
from webapp.models.mailing.mailing import Mailing
from webapp.models.stored_attachment import StoredAttachment
from webapp.models.stored_file import Obstacle, Order, Position, Source, StoredFile, in_order
from webapp.models.user import User


@dataclass(frozen=True, kw_only=True)
class AttachedFile(StoredFile):
    """An attachment with its mail, and the task of that; None for that of a draft."""

    letter: ClassVar[str] = "m"

    mailing: Mailing

    def obstacle_by(self, task: Task) -> Obstacle | None:
        """A mail that is not sent to all goes on with it, sooner or later."""
        if task.is_finished:
            return Obstacle.NOT_SENT_TO_ALL
        return Obstacle.SCHEDULED if task.is_scheduled else Obstacle.BEING_SENT


def attachments_of(user: User, order: Order, after: Position | None, limit: int) -> list[AttachedFile]:
    """A person's attachments, each with its mail and the task of that. One query."""
    mail = Mailing.id, Mailing.task, Mailing.subject, Mailing.draft_key, Mailing.original
    task = Task.id, Task.user, Task.state, Task.finished_at
    query = StoredAttachment.select(StoredAttachment, MailingFile.id, MailingFile.name, *mail, *task)
    query = query.join(MailingFile).join(Mailing).join(Task, JOIN.LEFT_OUTER).where(StoredAttachment.user == user)
    found = in_order(query, StoredAttachment, StoredAttachment.file, AttachedFile.letter, order, after)
    return [_read(stored) for stored in found.limit(limit)]


def _read(stored: StoredAttachment) -> AttachedFile:
    file, mailing = stored.file, stored.file.mailing
    task = mailing.task if mailing.task_id else None
    return AttachedFile(stored.file_id, file.name, stored.size, stored.created_at, task, mailing=mailing)


def delete_attachments(user: User, ids: Collection[int]) -> int:
    """Delete those of these attachments that may go: this person's own, of drafts and of mails that everybody has got.

    Returns how many those were.
    """
    with database.transaction():
        files = MailingFile.id.in_(ids)
        mails = Mailing.select(Mailing.task).join(MailingFile).where(files, Mailing.user == user)
        sent = Task.select(Task.id).where(Task.id.in_(mails), Task.state == State.SUCCEEDED)
        locked = [task.id for task in locking(sent, skip_locked=True)]
        User.hold(user.id)
        User.count_change(user.id)
        may_go = (Mailing.user == user) & (Mailing.draft_key.is_null(False) | Mailing.task.in_(locked))
        mine = MailingFile.mailing.in_(Mailing.select(Mailing.id).where(may_go))
        return int(MailingFile.delete().where(files, mine).execute())


def _strangers(user: User, ids: Collection[int]) -> set[int]:
    """Those that are somebody else's. What is gone already is nobody's."""
    found = MailingFile.select(MailingFile.id).join(Mailing).where(MailingFile.id.in_(ids), Mailing.user != user)
    return {file.id for file in found}


ATTACHMENTS = Source(int, attachments_of, _strangers, delete_attachments)
