"""TaskEvent: one line of a task's timeline."""

from datetime import datetime
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, DeferredForeignKey, JSONField, UUIDField

from webapp.db import BaseModel, database
from webapp.lib.times import utcnow

INSERT = "INSERT INTO task_events (task_id, at, kind, text, link) VALUES ({0}, {0}, {0}, {0}, {0})"


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
        """Add a line, cut to what fits. One write, spelled beforehand: it comes with every move of every task."""
        values = (cls.task.db_value(task_id), at or utcnow(), kind, text[:500], cls.link.db_value(link))
        database.execute_sql(INSERT.format(database.param), values)
