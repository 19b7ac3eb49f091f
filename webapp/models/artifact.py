"""Artifact: what a task leaves for its owner, kept in the database because web and worker dynos share no disk."""

import mimetypes
from collections.abc import Iterator
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from peewee import (
    BigIntegerField,
    BlobField,
    CharField,
    CompositeKey,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    UUIDField,
)
from playhouse.fields import EnumField

from webapp.database import BaseModel, database
from webapp.models.task import Task
from webapp.models.user import User
from webapp.times import utcnow

CHUNK = 256 * 1024


class Kind(StrEnum):
    """What opening an artifact does: download a file, go to a link, read a text."""

    FILE = "file"
    LINK = "link"
    TEXT = "text"


class Artifact(BaseModel):
    """A file, a link or a text. It exists for its owner once `completed_at` is set; before, it is being written."""

    id = UUIDField(primary_key=True, default=uuid4)
    task = ForeignKeyField(Task, backref="artifacts", on_delete="CASCADE")
    task_id: UUID
    kind = EnumField(Kind, max_length=8, default=Kind.FILE)
    name = CharField(max_length=200)
    content_type = CharField(max_length=100, default="application/octet-stream")
    size = BigIntegerField(default=0, help_text="bytes")
    created_at = DateTimeField(default=utcnow)
    completed_at = DateTimeField(null=True)

    @classmethod
    def completed(cls, tasks: list[Task]) -> dict[Task, list[Self]]:
        """The finished artifacts of each of these tasks, oldest first. One query; none for no tasks."""
        found: dict[Task, list[Self]] = {task: [] for task in tasks}
        if tasks:
            query = cls.select().where(cls.task.in_(tasks), cls.completed_at.is_null(False)).order_by(cls.created_at)
            by_id = {task.id: made for task, made in found.items()}
            for artifact in query:
                by_id[artifact.task_id].append(artifact)
        return found

    @classmethod
    def discard(cls, task: Task) -> None:
        """Delete all that earlier runs of the task made, finished or not."""
        cls.delete().where(cls.task == task).execute()

    def chunks(self) -> Iterator[bytes]:
        """The content in order, a chunk of at most CHUNK bytes at a time, each its own small query."""
        number = 0
        while chunk := ArtifactChunk.get_or_none(ArtifactChunk.artifact == self.id, ArtifactChunk.number == number):
            yield bytes(chunk.data)
            number += 1

    def read(self) -> bytes:
        """The whole content in memory; for what is known to be small."""
        return b"".join(self.chunks())


class ArtifactChunk(BaseModel):
    """A piece of an artifact's content; numbers count from 0 without a gap."""

    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    number = IntegerField()
    data = BlobField()

    class Meta:
        primary_key = CompositeKey("artifact", "number")


class ArtifactWriter:
    """Writes an artifact in constant memory; a context manager.

    Text is stored as UTF-8. The artifact appears when the block ends well; when it ends by an exception, nothing of
    it stays.
    """

    def __init__(self, task: Task, name: str, kind: Kind = Kind.FILE) -> None:
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if kind is not Kind.FILE:
            content_type = "text/plain"
        self.artifact = Artifact(task=task, name=name[:200], kind=kind, content_type=content_type)
        self._buffer = bytearray()
        self._number = 0

    def __enter__(self) -> Self:
        self.artifact.save(force_insert=True)
        return self

    def write(self, data: str | bytes) -> None:
        """Append text or bytes. Now and then this writes a chunk to the database."""
        self._buffer += data.encode() if isinstance(data, str) else data
        while len(self._buffer) >= CHUNK:
            self._store(CHUNK)

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type:
            self.artifact.delete_instance()
            return
        with database.atomic():
            if self._buffer:
                self._store(len(self._buffer))
            self.artifact.completed_at = utcnow()
            self.artifact.save(only=[Artifact.size, Artifact.completed_at])
            User.count_change(self.artifact.task.user_id)

    def _store(self, size: int) -> None:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        ArtifactChunk.insert(artifact=self.artifact, number=self._number, data=data).execute()
        self._number += 1
        self.artifact.size += size


def checked_link(url: str) -> str:
    """The url, if it may stand in a page as a link. Raises ValueError for anything but http and https."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"an artifact links to http or https, not to {url!r}")
    return url
