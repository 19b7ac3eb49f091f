"""Artifact: what a task leaves for its owner, kept in the database because web and worker dynos share no disk."""

import mimetypes
from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import BinaryIO, Final, Self, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    CharField,
    CompositeKey,
    DateTimeField,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    ModelSelect,
    UUIDField,
    fn,
)
from playhouse.fields import EnumField

from tasks.engine.models.task import Task
from webapp.db import BaseModel, CompiledQuery, Row, compiled, numbered, places
from webapp.lib.chunked_file import ChunkedFile
from webapp.lib.times import utcnow

CHUNK = 256 * 1024
KEEP: Final = timedelta(days=7)


class Kind(StrEnum):
    """What opening an artifact does: download a file, go to a link, read a text. An upload is what a task was given."""

    FILE = "file"
    LINK = "link"
    TEXT = "text"
    UPLOAD = "upload"


class Artifact(BaseModel):
    """A file, a link or a text. It exists for its owner once `completed_at` is set; before, it is being written."""

    id = UUIDField(primary_key=True, default=uuid4)
    task = ForeignKeyField(Task, backref="artifacts", on_delete="CASCADE")
    task_id: UUID
    owner_id = IntegerField(null=True, help_text="of the task; by a release before 0041 a trigger writes it")
    kind: "Field[Kind]" = EnumField(Kind, max_length=8, default=Kind.FILE)
    name = CharField(max_length=200)
    content_type = CharField(max_length=100, default="application/octet-stream")
    size = BigIntegerField(default=0, help_text="bytes, of the chunks that count")
    number = IntegerField(
        default=0,
        constraints=[SQL("DEFAULT 0")],
        help_text="how many chunks count; what comes after is from a run that was lost",
    )
    created_at = DateTimeField(default=utcnow)
    completed_at = DateTimeField(null=True)
    expires_at = DateTimeField(null=True, help_text="when its content is deleted; null once it is")
    expired_at = DateTimeField(null=True, help_text="when that was done")
    deleted_at = DateTimeField(null=True, help_text="the same, if it was its owner who deleted it")

    class Meta:
        indexes = ((("expires_at",), False),)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def visible_to(cls, user: Model) -> "ModelSelect[Self]":
        """The artifacts and uploads that this person may see: those of the tasks that they may, once complete."""
        return cls.select().join(Task).where(Task.is_visible_to(user), cls.completed_at.is_null(False))

    @classmethod
    def belongs_to_another(cls, user: Model, artifact_id: UUID) -> bool:
        """Whether there is one of that id, and it is somebody else's. One query."""
        return cls.select().join(Task).where(cls.id == artifact_id, Task.user != user).exists()

    @classmethod
    def completed(cls, tasks: list[Task]) -> dict[Task, list[Self]]:
        """What each of these tasks has made, oldest first. One query, compiled for each number; none for no tasks."""
        made: dict[UUID, list[Self]] = {task.id: [] for task in tasks}
        if tasks:
            for artifact in _made_by(len(made)).objects(cls, **numbered("id", made)):
                made[artifact.task_id].append(artifact)
        return {task: made[task.id] for task in tasks}

    @classmethod
    def discard(cls, task: Task, unfinished: bool = False) -> None:
        """Delete what earlier runs of the task made, or only what they did not finish."""
        made = cls.task == task, cls.kind != Kind.UPLOAD
        cls.delete().where(*made, cls.completed_at.is_null() if unfinished else True).execute()

    @classmethod
    def keep(cls, task: Task, upload_id: UUID, name: str, chunks: Iterable[bytes]) -> Self:
        """Store what somebody gave a task: for as long as there is the task, and for nobody else."""
        upload = cls.create(
            id=upload_id,
            task=task,
            owner_id=task.user_id,
            name=name,
            kind=Kind.UPLOAD,
            content_type=guess_type(name),
            completed_at=utcnow(),
        )
        for chunk in chunks:
            ArtifactChunk.insert(artifact=upload, number=upload.number, data=chunk).execute()
            upload.number += 1
            upload.size += len(chunk)
        upload.save(only=[cls.size, cls.number])
        return upload

    def chunks(self, first: int = 0) -> Iterator[bytes]:
        """The content in order from chunk `first` on, at most CHUNK bytes at a time, each its own small query.

        Every chunk of an upload but its last has CHUNK bytes; those of what a task writes may have fewer.
        """
        number = first
        while chunk := ArtifactChunk.get_or_none(ArtifactChunk.artifact == self.id, ArtifactChunk.number == number):
            yield bytes(chunk.data)
            number += 1

    def open(self) -> BinaryIO:
        """The content, once it is complete, as a file that reads and seeks, in the memory of one chunk. One query."""
        mine = ArtifactChunk.select(fn.LENGTH(ArtifactChunk.data)).where(ArtifactChunk.artifact == self.id)
        lengths: Iterable[Row] = mine.order_by(ArtifactChunk.number).tuples()
        starts = list(accumulate((length for (length,) in lengths), initial=0))[:-1]
        return cast(BinaryIO, ChunkedFile(self.chunks, starts, self.size))

    def read(self) -> bytes:
        """The whole content in memory; for what is known to be small."""
        return b"".join(self.chunks())


@cache
def _made_by(number: int) -> CompiledQuery:
    def made() -> "ModelSelect[Artifact]":
        of_tasks = Artifact.task.in_(places("id", number, Artifact.task))
        complete = Artifact.completed_at.is_null(False), Artifact.kind != Kind.UPLOAD
        return Artifact.select().where(of_tasks, *complete).order_by(Artifact.created_at)

    return compiled(made)


_kept = Artifact.expired_at.is_null()
Artifact.add_index(Artifact.owner_id, Artifact.size, Artifact.id, where=_kept, name="artifacts_owner_size")
Artifact.add_index(Artifact.owner_id, Artifact.created_at, Artifact.id, where=_kept, name="artifacts_owner_created")


class ArtifactChunk(BaseModel):
    """A piece of an artifact's content; numbers count from 0 without a gap."""

    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    artifact_id: UUID
    number = IntegerField()
    data = BlobField()

    class Meta:
        primary_key = CompositeKey("artifact", "number")


def guess_type(name: str) -> str:
    """The content type of a file, by its name."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def checked_link(url: str) -> str:
    """The url, if it may stand in a page as a link. Raises ValueError for anything but http and https."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"an artifact links to http or https, not to {url!r}")
    return url
