"""The artifacts and uploads that a person stores, and deleting them, little by little, so that nobody waits for it.

A file is first marked as deleted, from when on it counts no more; then its content goes. Where that is cut off, the
next purge goes on. Tasks are locked before people, and only those that nobody else has locked.
"""

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from peewee import ModelDelete, ModelUpdate, Select

from tasks.engine.models import observers
from tasks.engine.models.artifact import Artifact
from tasks.engine.models.removal import Held, clear, key_of
from tasks.engine.models.state import FINISHED, State
from tasks.engine.models.task import Task
from webapp.db import database, locking
from webapp.lib.times import utcnow
from webapp.models.stored_file import Order, Position, Source, StoredFile, in_order
from webapp.models.user import User

BATCH = 200  # files that are marked in one transaction
CHUNKS = 100  # that are deleted in one transaction: at most 25 MB
LONGEST = 8.0  # seconds, after which a press leaves the rest for the next


@dataclass
class Deleted:
    """How many files a press has deleted, and whether it left some because its time was up."""

    number: int = 0
    are_more: bool = False


def artifacts_of(user: User, order: Order, after: Position | None, limit: int) -> list[StoredFile]:
    """A person's artifacts and uploads, each with its task; not of tasks that are being deleted. One query."""
    kept = Artifact.owner_id == user.id, Artifact.expired_at.is_null(), ~Task.hidden
    task = Task.id, Task.user, Task.title, Task.title_phrase, Task.state, Task.finished_at
    query = Artifact.select(Artifact, *task).join(Task).where(*kept)
    return [
        StoredFile(artifact.id, artifact.name, artifact.size, artifact.created_at, artifact.task, artifact)
        for artifact in in_order(query, Artifact, Artifact.id, StoredFile.letter, order, after).limit(limit)
    ]


def delete_artifacts(user: User, ids: Collection[UUID]) -> int:
    """Delete those of these artifacts and uploads that may go, up to BATCH of them; returns how many those were.

    They are this person's own, and complete, of tasks that have finished; whatever a task that succeeded has left may
    go as well.
    """
    with database.transaction():
        # By their ids alone: with more conditions, SQLite would rather go through all that this person has.
        columns = Artifact.id, Artifact.task, Artifact.owner_id, Artifact.completed_at
        mine = [
            artifact
            for artifact in Artifact.select(*columns).where(Artifact.id.in_(ids))
            if artifact.owner_id == user.id
        ]
        of_them = Task.id.in_({artifact.task_id for artifact in mine})
        finished = Task.select(Task.id, Task.state).where(of_them, Task.state.in_(FINISHED), ~Task.hidden)
        states = {task.id: task.state for task in locking(finished, skip_locked=True)}
        complete = [each for each in mine if each.completed_at or states.get(each.task_id) == State.SUCCEEDED]
        gone = [artifact.id for artifact in complete if artifact.task_id in states]
        now = utcnow()
        # `expires_at` stays as long as there may be content, by which a purge finds it.
        marks = Artifact.update(expired_at=now, deleted_at=now, expires_at=now)
        number = marks.where(Artifact.id.in_(gone), Artifact.expired_at.is_null()).execute()
        if number:
            observers.refreshed(user.id)
    with suppress(Held):  # a purge is at it, which then does the rest
        for _ in clear(Artifact, gone, lambda _: CHUNKS, _act):
            pass
        Artifact.update(expires_at=None).where(Artifact.id.in_(gone)).execute()
    return int(number)


def delete_of_finished_tasks(user: User, longest: float = LONGEST) -> Deleted:
    """Delete whatever a person gave their finished tasks, and what these made, for so many seconds at most."""
    until, result = time.monotonic() + longest, Deleted()
    after: Position | None = None
    while found := artifacts_of(user, Order.SIZE, after, BATCH):
        if time.monotonic() > until:
            result.are_more = True
            break
        free = [file.artifact.id for file in found if file.artifact and not file.obstacle]
        result.number += delete_artifacts(user, free) if free else 0
        after = found[-1].position(Order.SIZE)
    return result


def _act(query: ModelUpdate | ModelDelete, rows: Select) -> int:
    with database.transaction():
        return int(query.where(key_of(query.model).in_(rows)).execute())


def _strangers(user: User, ids: Collection[UUID]) -> set[UUID]:
    """Those that are not theirs. That of a task which is purged is nobody's."""
    mine = Artifact.select(Artifact.id).where(Artifact.id.in_(ids), Artifact.owner_id == user.id)
    return set(ids) - {artifact.id for artifact in mine}


ARTIFACTS = Source(UUID, artifacts_of, _strangers, delete_artifacts)
