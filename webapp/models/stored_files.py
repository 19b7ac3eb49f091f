"""The files that a person stores: one list in two orders, and why one of them cannot be deleted now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeAlias
from uuid import UUID

from peewee import JOIN, ModelSelect

from tasks.engine.models.artifact import Artifact, Kind
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from webapp.models.mailing.attachments import MailingFile
from webapp.models.mailing.mailing import Mailing
from webapp.models.stored_attachment import StoredAttachment
from webapp.models.user import User


class Order(StrEnum):
    """In which order files are listed."""

    SIZE = "size"
    AGE = "age"


class Obstacle(StrEnum):
    """Why a file cannot be deleted."""

    UNFINISHED = "unfinished"  # its task may need it
    HALF_WRITTEN = "half_written"  # a retry goes on with it
    SCHEDULED = "scheduled"  # it goes with a mail that can still be changed
    BEING_SENT = "being_sent"
    NOT_SENT_TO_ALL = "not_sent_to_all"


# Where a list goes on: the size or the time of the last file, and its id, whose type tells what it is.
Value: TypeAlias = int | datetime
Position: TypeAlias = tuple[Value, UUID | int]


@dataclass(frozen=True)
class StoredFile:
    """An artifact or an upload with its task, or an attachment with its mail; `task` is None for that of a draft."""

    id: UUID | int
    name: str
    size: int
    created_at: datetime
    task: Task | None
    artifact: Artifact | None = None
    mailing: Mailing | None = None

    @classmethod
    def of_artifact(cls, artifact: Artifact) -> Self:
        """One that was found with its task. No query."""
        return cls(artifact.id, artifact.name, artifact.size, artifact.created_at, artifact.task, artifact)

    @classmethod
    def of_attachment(cls, stored: StoredAttachment) -> Self:
        """One that was found with its mail, and the task of that. No query."""
        file, mailing = stored.file, stored.file.mailing
        task = mailing.task if mailing.task_id else None
        return cls(stored.file_id, file.name, stored.size, stored.created_at, task, None, mailing)

    @property
    def is_upload(self) -> bool:
        """Whether a task was given it."""
        return self.artifact is not None and self.artifact.kind is Kind.UPLOAD

    @property
    def obstacle(self) -> Obstacle | None:
        """Why it cannot be deleted, or None."""
        if self.task is None or self.task.state == State.SUCCEEDED:
            return None
        if self.mailing and self.task.is_finished:
            return Obstacle.NOT_SENT_TO_ALL
        if self.mailing:
            return Obstacle.SCHEDULED if self.task.is_scheduled else Obstacle.BEING_SENT
        if not self.task.is_finished:
            return Obstacle.UNFINISHED
        return None if self.artifact and self.artifact.completed_at else Obstacle.HALF_WRITTEN

    def position(self, order: Order) -> Position:
        """Where the list goes on after it."""
        return self.size if order is Order.SIZE else self.created_at, self.id


def files_of(user: User, order: Order, after: Position | None, limit: int) -> list[StoredFile]:
    """A person's files, the largest or the newest first, from a position on. Two queries, each by an index.

    Not those of tasks that are being deleted.
    """
    found = artifacts_of(user, order, after, limit)
    attached = _from(attachments_of(user), StoredAttachment, StoredAttachment.file, order, after)
    found += [StoredFile.of_attachment(stored) for stored in attached.limit(limit)]
    found.sort(key=lambda file: file.position(order)[0], reverse=True)  # where equal, artifacts stay before attachments
    return found[:limit]


def artifacts_of(user: User, order: Order, after: Position | None, limit: int) -> list[StoredFile]:
    """The same without attachments. One query."""
    kept = Artifact.owner_id == user.id, Artifact.expired_at.is_null(), ~Task.hidden
    task = Task.id, Task.user, Task.title, Task.title_phrase, Task.state, Task.finished_at
    found = _from(Artifact.select(Artifact, *task).join(Task).where(*kept), Artifact, Artifact.id, order, after)
    return [StoredFile.of_artifact(artifact) for artifact in found.limit(limit)]


def attachments_of(user: User) -> "ModelSelect[StoredAttachment]":
    """A person's attachments, each with its mail and the task of that."""
    mail = Mailing.id, Mailing.task, Mailing.subject, Mailing.draft_key, Mailing.original
    task = Task.id, Task.user, Task.state, Task.finished_at
    return (
        StoredAttachment.select(StoredAttachment, MailingFile.id, MailingFile.name, *mail, *task)
        .join(MailingFile)
        .join(Mailing)
        .join(Task, JOIN.LEFT_OUTER)
        .where(StoredAttachment.user == user)
    )


def _from(query: Any, model: Any, key: Any, order: Order, after: Position | None) -> Any:
    """The rows of a query after a position, in order. The first condition is what an index finds the place by."""
    value = model.size if order is Order.SIZE else model.created_at
    query = query.order_by(value.desc(), key.desc())
    if after is None:
        return query
    at, last = after
    if isinstance(last, UUID) is (model is Artifact):
        return query.where(value <= at, (value < at) | (key < last))
    return query.where(value < at if model is Artifact else value <= at)
