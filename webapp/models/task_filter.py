"""TaskFilter: which of a person's tasks are wanted, in the words in which people ask for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import ModelSelect, fn

from tasks.engine.models.state import FINISHED, Group
from tasks.engine.models.task import Task
from webapp.models.search import all_of
from webapp.models.user import User

SEVERAL = "several"  # as a name: a workflow, which has no function
MOST_COUNTED = 1000


@dataclass(frozen=True)
class TaskFilter:
    """What a task must be like. What is empty demands nothing; times are naive UTC, `until` itself is left out.

    `group` is one of `Group`.
    """

    group: str = ""
    name: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def of(self, user: User) -> "ModelSelect[Task]":
        """This person's tasks that are like it, by `order`, the latest first; workflows without their children.

        Each word of the text must stand somewhere in the title or in what went wrong.
        """
        query, conditions = Task.of(user), list[Any]()
        if self.group:
            conditions.append(Task.state.in_(sorted(Group(self.group).states)))
        if self.name:
            conditions.append(Task.name == ("" if self.name == SEVERAL else self.name))
        title, error = fn.LOWER(Task.title), fn.LOWER(Task.error)
        if words := self.text.lower().split():
            conditions.append(all_of([title.contains(word) | error.contains(word) for word in words]))
        if self.since:
            conditions.append(Task.created_at >= self.since)
        if self.until:
            conditions.append(Task.created_at < self.until)
        if self.order != "created_at":
            conditions.append(Task.finished_at.is_null(False))  # always so, but databases need to be told
            query = query.order_by(Task.finished_at.desc(), Task.id.desc())
        return query.where(*conditions) if conditions else query

    @property
    def order(self) -> str:
        """The column by which they are ordered: where only what has ended is wanted, by its end."""
        return "finished_at" if self.group and Group(self.group).states <= FINISHED else "created_at"

    def count(self, user: User) -> int:
        """How many they are, one more than MOST_COUNTED at most. One query."""
        some = self.of(user).select(Task.id).order_by().limit(MOST_COUNTED + 1).alias("some")
        return int(Task.select(fn.COUNT(some.c.id)).from_(some).scalar())
