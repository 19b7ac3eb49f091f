"""ForceEnd: that a task is to end whatever its run does, as an operator asks for where a step never ends."""

from uuid import UUID

from peewee import AutoField, DateTimeField, DeferredForeignKey, JSONField

from webapp.db import BaseModel
from webapp.lib.times import utcnow


class ForceEnd(BaseModel):
    """One request. It is there until the task has ended, and goes by the task, whoever holds that.

    A row of its own: to write it takes no lock that a run could hold.
    """

    id = AutoField()
    task = DeferredForeignKey("Task", unique=True, on_delete="CASCADE", backref="+")
    task_id: UUID
    words = JSONField(help_text="what the timeline is to say of it, a phrase")
    asked_at = DateTimeField(default=utcnow)

    class Meta:
        table_name = "force_ends"
