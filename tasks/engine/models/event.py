"""TaskEvent: one line of a task's timeline."""

import json
from datetime import datetime
from uuid import UUID

from peewee import AutoField, CharField, DateTimeField, DeferredForeignKey, JSONField, UUIDField

from webapp.db import BaseModel, database
from webapp.lib.kept_words import kept, put_into_words
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow

INSERT = "INSERT INTO task_events (task_id, at, kind, text, phrase, link) VALUES ({0}, {0}, {0}, {0}, {0}, {0})"
LONGEST = 500  # characters


class TaskEvent(BaseModel):
    """A move of a task, or something that the task itself said."""

    id = AutoField()
    task = DeferredForeignKey("Task", backref="events", on_delete="CASCADE")
    at = DateTimeField(default=utcnow)
    kind = CharField(max_length=16, help_text="launched, started, log, undoing, undone, or the state it came to")
    text = CharField(max_length=LONGEST)
    phrase = JSONField(null=True, help_text="the same as a phrase, unless an author wrote it")
    link = UUIDField(null=True, help_text="the other task that it tells of, which may be there no more")

    @classmethod
    def write(
        cls, task_id: UUID, kind: str, words: Words, at: datetime | None = None, link: UUID | None = None
    ) -> None:
        """Add a line, cut to what fits. One write, spelled beforehand: it comes with every move of every task."""
        text, phrase = kept(words, LONGEST)
        said = text, phrase and json.dumps(phrase)
        values = (cls.task.db_value(task_id), at or utcnow(), kind, *said, cls.link.db_value(link))
        database.execute_sql(INSERT.format(database.param), values)

    def words(self, owner: str = "") -> str:
        """As the owner of its task reads it; as others do where that owner's name is given."""
        return put_into_words(self.text, self.phrase, owner)
