"""Lists of artifacts as programs read them: each by an index, and in one query what is short of their content."""

from collections.abc import Sequence
from uuid import UUID

from peewee import Expression, ModelSelect

from tasks.engine.models.artifact import Artifact, ArtifactChunk, Kind
from tasks.engine.models.task import Task


def kept_of(user_id: int) -> "ModelSelect[Artifact]":
    """The artifacts and uploads that somebody may fetch, newest first, each with its task's id and name."""
    # By the owner that is in its own row: an index has them in this order.
    return _newest(Artifact.owner_id == user_id, Artifact.expired_at.is_null(), ~Task.hidden)


def made_by(task: Task) -> "ModelSelect[Artifact]":
    """What a task has made, kept or not, newest first, each with its task's id and name."""
    return _newest(Artifact.task == task.id, Artifact.kind != Kind.UPLOAD)


def short_contents(artifacts: Sequence[Artifact], most: int) -> dict[UUID, bytes]:
    """By its id, the whole content of each of these that is kept and has at most so many bytes. One query, or none."""
    short = [each.id for each in artifacts if each.size <= most and each.completed_at and not each.expired_at]
    found = dict.fromkeys(short, b"")
    if short:
        pieces = ArtifactChunk.select().where(ArtifactChunk.artifact.in_(short))
        for piece in sorted(pieces, key=lambda piece: piece.number):
            found[piece.artifact_id] += bytes(piece.data)
    return found


def _newest(*which: Expression) -> "ModelSelect[Artifact]":
    complete = (
        Artifact.select(Artifact, Task.id, Task.name).join(Task).where(*which, Artifact.completed_at.is_null(False))
    )
    found: ModelSelect[Artifact] = complete.order_by(Artifact.created_at.desc(), Artifact.id.desc())
    return found
