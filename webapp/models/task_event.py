"""TaskEvent: one line of a task's timeline."""

from datetime import datetime
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, DeferredForeignKey

from webapp.database import BaseModel, database
from webapp.times import utcnow

INSERT = "INSERT INTO task_events (task_id, at, kind, text) VALUES ({0}, {0}, {0}, {0})"


class TaskEvent(BaseModel):
    """A move of a task, or something that the task itself said."""

    id = AutoField()
    task = DeferredForeignKey("Task", backref="events", on_delete="CASCADE")
    at = DateTimeField(default=utcnow)
    kind = CharField(max_length=16, help_text="launched, started, log, or the state it came to")
    text = CharField(max_length=500)

    @classmethod
    def write(cls, task_id: UUID, kind: str, text: str, at: datetime | None = None) -> None:
        """Add a line, cut to what fits. One write, spelled beforehand: it comes with every move of every task."""
        values = (cls.task.db_value(task_id), at or utcnow(), kind, text[:500])
        database.execute_sql(INSERT.format(database.param), values)
