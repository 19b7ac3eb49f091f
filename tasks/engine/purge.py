"""Purging: what is old goes, a batch at a time, so that nobody waits for a lock."""

from datetime import timedelta

from tasks.engine.limits import limits
from webapp.database import database
from webapp.models import Artifact, ArtifactChunk, FormKey, Task, User
from webapp.models.state import FINISHED
from webapp.times import utcnow

KEEP_QUIET = timedelta(hours=1)  # long enough to be found by who reads the log


def purge(at_once: int) -> int:
    """Delete one batch of what is older than the settings allow; returns how many rows that were, 0 when all is done.

    Finished tasks go with all that belongs to them, quiet ones after KEEP_QUIET; an artifact that has expired leaves
    its name, without content. What was made from which form is known for a day.
    """
    tasks = _purge_tasks(at_once, False, limits.keep_tasks) + _purge_tasks(at_once, True, KEEP_QUIET)
    return tasks + _expire_artifacts(at_once) + FormKey.purge(at_once)


def _purge_tasks(at_once: int, quiet: bool, keep: timedelta) -> int:
    before = utcnow() - keep
    old = Task.quiet == quiet, Task.finished_at < before, Task.state.in_(FINISHED), Task.parent.is_null()
    found = list(Task.select(Task.id, Task.user).where(*old).order_by(Task.finished_at).limit(at_once))
    with database.atomic():
        deleted = Task.delete().where(Task.id.in_([task.id for task in found]), *old).execute() if found else 0
        _tell(set() if quiet else {task.user_id for task in found})
    return int(deleted)


def _expire_artifacts(at_once: int) -> int:
    old = Artifact.expires_at < utcnow(), Artifact.expired_at.is_null()
    found = list(Artifact.select(Artifact.id, Task.user).join(Task).where(*old).limit(at_once))
    if not found:
        return 0
    ids = [artifact.id for artifact in found]
    with database.atomic():
        ArtifactChunk.delete().where(ArtifactChunk.artifact.in_(ids)).execute()
        Artifact.update(expired_at=utcnow()).where(Artifact.id.in_(ids)).execute()
        _tell({artifact.task.user_id for artifact in found})
    return len(found)


def _tell(user_ids: set[int]) -> None:
    if user_ids:
        User.update(changes=User.changes + 1).where(User.id.in_(user_ids)).execute()
