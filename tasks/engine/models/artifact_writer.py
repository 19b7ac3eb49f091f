"""ArtifactWriter: how a task writes an artifact, in constant memory and across runs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, Self

from tasks.engine.models import observers
from tasks.engine.models.artifact import CHUNK, KEEP, Artifact, ArtifactChunk, Kind, guess_type
from tasks.engine.models.task import Task
from webapp.db import database
from webapp.lib.times import utcnow


class Room(Protocol):
    """How much may still be written."""

    def take(self, size: int) -> None:
        """Take so many bytes. What it raises ends the run."""

    def saved(self, size: int) -> None:
        """So many of the bytes taken have a row that counts them, or are never written."""


class ArtifactWriter:
    """Writes an artifact in constant memory; a context manager. Text is stored as UTF-8.

    The artifact appears when the block ends well. `flush`, in the transaction of a checkpoint, makes what was written
    so far count; a later run that opens the same artifact goes on behind that, and what was written since is gone.
    What is written to an artifact that an earlier run has completed is ignored.
    """

    def __init__(
        self,
        task: Task,
        name: str,
        kind: Kind = Kind.FILE,
        nth: int = 0,
        keep: timedelta = KEEP,
        moved: Callable[[], object] = lambda: None,
        is_shown: bool = True,
        room: Room | None = None,
    ) -> None:
        """`nth` tells apart the artifacts of one task that have the same name, kept for as long as `keep`.

        Each `write` calls `moved`, and asks for `room`, which may raise. One that is not to be shown never appears: it
        is for the task's own use.
        """
        self._task, self._name, self._kind, self._nth, self._keep = task, name[:200], kind, nth, keep
        self._moved, self._is_shown, self._room = moved, is_shown, room
        self._buffer = bytearray()
        self._ahead = 0  # bytes in chunks that do not count yet

    def __enter__(self) -> Self:
        made = Artifact.task == self._task, Artifact.name == self._name, Artifact.kind != Kind.UPLOAD
        mine = Artifact.select().where(*made)
        found = next(iter(mine.order_by(Artifact.created_at).offset(self._nth).limit(1)), None)
        self.artifact = found or self._create()
        self._number = self.artifact.number
        if found and not self.is_complete:
            after = ArtifactChunk.artifact == found, ArtifactChunk.number >= found.number
            ArtifactChunk.delete().where(*after).execute()
        return self

    @property
    def is_complete(self) -> bool:
        """Whether it has all its content, by this run or an earlier one."""
        return self.artifact.completed_at is not None

    @property
    def size(self) -> int:
        """How many bytes it has so far, those of earlier runs included; 0 means that it needs its beginning."""
        return self.artifact.size + self._ahead + len(self._buffer)

    def write(self, data: str | bytes) -> None:
        """Append text or bytes. Now and then this writes a chunk to the database."""
        self._moved()
        if not self.is_complete:
            encoded = data.encode() if isinstance(data, str) else data
            if self._room:
                self._room.take(len(encoded))
            self._buffer += encoded
            while len(self._buffer) >= CHUNK:
                self._store(CHUNK)

    def flush(self) -> None:
        """Make all that was written count."""
        if self._buffer:
            self._store(len(self._buffer))
        if self._ahead:
            self._count()
            self.artifact.save(only=[Artifact.size, Artifact.number])

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type and self._room:
            self._room.saved(self._ahead + len(self._buffer))
        if exc_type or self.is_complete or not self._is_shown:
            return
        with database.atomic():
            if self._buffer:
                self._store(len(self._buffer))
            self._count()
            self.artifact.completed_at = utcnow()
            self.artifact.expires_at = self.artifact.completed_at + self._keep
            self.artifact.save(only=[Artifact.size, Artifact.number, Artifact.completed_at, Artifact.expires_at])
            observers.refreshed(self._task.user_id)

    def _count(self) -> None:
        """Let the chunks ahead count, once the artifact is saved."""
        if self._room:
            self._room.saved(self._ahead)
        self.artifact.size += self._ahead
        self.artifact.number, self._ahead = self._number, 0

    def _create(self) -> Artifact:
        content_type = guess_type(self._name) if self._kind is Kind.FILE else "text/plain"
        task, name, kind = self._task, self._name, self._kind
        return Artifact.create(task=task, owner_id=task.user_id, name=name, kind=kind, content_type=content_type)

    def _store(self, size: int) -> None:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        ArtifactChunk.insert(artifact=self.artifact, number=self._number, data=data).execute()
        self._number += 1
        self._ahead += size
