"""What is behind the page of one task at the desk, whosoever it is. For those whose role allows that."""

from typing import Any, Final
from uuid import UUID

from peewee import fn

from tasks.engine.models.artifact import Artifact
from tasks.engine.models.failure_group import FailureGroup
from tasks.engine.models.task import Task
from webapp.models.audit import AuditEntry
from webapp.models.steering import target_of

LATEST_ENTRIES: Final = 20


def find_any(task_id: UUID | None) -> Task | None:
    """The task of an id, an internal one too. One query; none for no id."""
    return Task.get_or_none(Task.id == task_id) if task_id else None


def made_by(task: Task) -> tuple[int, int]:
    """How many artifacts a task has made, and their bytes together. One query."""
    made = Artifact.select(fn.COUNT(Artifact.id), fn.COALESCE(fn.SUM(Artifact.size), 0))
    finished: Any = made.where(Artifact.task == task.id, Artifact.completed_at.is_null(False))
    files, weight = finished.tuples().get()
    return int(files), int(weight)


def cause_of(task: Task) -> FailureGroup | None:
    """Why it failed, with the traceback of the latest such failure. One query; none for what has not failed."""
    return FailureGroup.get_or_none(FailureGroup.fingerprint == task.fingerprint) if task.fingerprint else None


def audited(task: Task) -> list[AuditEntry]:
    """The latest that was done to a task at the desk. One query."""
    return AuditEntry.of_target(target_of(task), LATEST_ENTRIES)
