"""TaskEvent: one line of a task's timeline."""

from datetime import datetime
from typing import Self
from uuid import UUID

from peewee import (
    AutoField,
    CharField,
    DateTimeField,
    DeferredForeignKey,
    JSONField,
    ModelInsert,
    ModelSelect,
    UUIDField,
)

from tasks.engine.models.words import tells_no_more
from webapp.db import BaseModel, Param, compiled, params_of
from webapp.lib.kept_words import kept, put_into_words, read_words
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow

LONGEST = 500  # characters


class TaskEvent(BaseModel):
    """A move of a task, or something that the task itself said."""

    id = AutoField()
    task = DeferredForeignKey("Task", backref="events", on_delete="CASCADE", index=False)
    at = DateTimeField(default=utcnow)
    kind = CharField(max_length=16, help_text="launched, started, log, undoing, undone, or the state it came to")
    text = CharField(max_length=LONGEST)
    phrase = JSONField(null=True, help_text="the same as a phrase, unless an author wrote it")
    link = UUIDField(null=True, help_text="the other task that it tells of, which may be there no more")

    @classmethod
    def write(
        cls, task_id: UUID, kind: str, words: Words, at: datetime | None = None, link: UUID | None = None
    ) -> None:
        """Add a line, cut to what fits. One write, compiled: it comes with every move of every task."""
        text, phrase = kept(words, LONGEST)
        _insert.execute(task=task_id, at=at or utcnow(), kind=kind, text=text, phrase=phrase, link=link)

    @classmethod
    def of(cls, task_id: UUID) -> list[Self]:
        """The timeline of a task, oldest first. One query, compiled."""
        return _timeline.objects(cls, task_id=task_id)

    @property
    def tells_no_more(self) -> bool:
        """Whether it says what it would of any task: nothing of what this one was given, or made."""
        return tells_no_more(read_words(self.text, self.phrase))

    def words(self, owner: str = "") -> str:
        """As the owner of its task reads it; as others do where that owner's name is given."""
        return put_into_words(self.text, self.phrase, owner)


@compiled
def _insert() -> ModelInsert:
    written = TaskEvent.task, TaskEvent.at, TaskEvent.kind, TaskEvent.text, TaskEvent.phrase, TaskEvent.link
    return TaskEvent.insert(params_of(*written))


@compiled
def _timeline() -> "ModelSelect[TaskEvent]":
    return TaskEvent.select().where(TaskEvent.task == Param("task_id")).order_by(TaskEvent.id)
