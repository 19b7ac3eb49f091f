"""TaskEvent: one line of a task's timeline."""

from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, DeferredForeignKey, JSONField, UUIDField

from webapp.db import BaseModel, compiled, params_of
from webapp.lib.times import utcnow


class TaskEvent(BaseModel):
    """A move of a task, or something that the task itself said."""

    id = AutoField()
    task = DeferredForeignKey("Task", backref="events", on_delete="CASCADE")
    at = DateTimeField(default=utcnow)
    kind = CharField(max_length=16, help_text="launched, started, log, undoing, undone, or the state it came to")
    text = CharField(max_length=500)
    phrase = JSONField(null=True, help_text="the same as a phrase, unless an author wrote it")
    link = UUIDField(null=True, help_text="the other task that it tells of, which may be there no more")

    @classmethod
    def write(cls, task_id: UUID, kind: str, text: str, at: datetime | None = None, link: UUID | None = None) -> None:
        """Add a line, cut to what fits. One write, compiled: it comes with every move of every task."""
        _insert.execute(task=task_id, at=at or utcnow(), kind=kind, text=text[:500], link=link)


@compiled
def _insert() -> Any:
    written = TaskEvent.task, TaskEvent.at, TaskEvent.kind, TaskEvent.text, TaskEvent.link
    return TaskEvent.insert(params_of(*written))
