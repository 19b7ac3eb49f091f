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
MOST_SEARCHED = 10_000


@dataclass(frozen=True)
class TaskFilter:
    """What a task must be like. What is empty demands nothing; times are naive UTC, `until` itself is left out.

    `group` is one of `Group`. State and times are found by index. What else is wanted is looked for one by one, among
    the MOST_SEARCHED latest of these.
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
        return self.search(user)[0]

    def search(self, user: User) -> tuple["ModelSelect[Task]", bool]:
        """The same, and whether there are earlier tasks, which were not looked through. At most one query itself."""
        query, conditions = self._by_index(user), list[Any]()
        if self.name:
            conditions.append(Task.name == ("" if self.name == SEVERAL else self.name))
        if words := self.text.lower().split():
            conditions.append(all_of([_has(Task.title, word) | _has(Task.error, word) for word in words]))
        if not conditions:
            return query, False
        time = getattr(Task, self.order)
        earliest: datetime | None = query.select(time).offset(MOST_SEARCHED - 1).limit(1).scalar()
        return query.where(*conditions) if earliest is None else query.where(time >= earliest, *conditions), bool(
            earliest
        )

    def in_each_state(self, found: "ModelSelect[Task]") -> list["ModelSelect[Task]"]:
        """What was found in parts, each of which an index has in order: that of a group has several states."""
        if not self.group or len(self._states) == 1:
            return [found]
        return [found.where(Task.state == state) for state in sorted(self._states)]

    def to_count(self, found: "ModelSelect[Task]") -> list["ModelSelect[Task]"]:
        """What was found in parts, each of which an index counts by itself."""
        return [found] if self.group else [found.where(Task.finished_at.is_null(active)) for active in (True, False)]

    @property
    def order(self) -> str:
        """The column by which they are ordered: where only what has ended is wanted, by its end."""
        return "finished_at" if self.group and self._states <= FINISHED else "created_at"

    @property
    def _states(self) -> frozenset[Any]:
        return Group(self.group).states

    def _by_index(self, user: User) -> "ModelSelect[Task]":
        query, conditions = Task.of(user), list[Any]()
        if self.group:
            # What follows from the states, and databases need to be told to take the index.
            conditions += [Task.state.in_(sorted(self._states)), Task.finished_at.is_null(self.order == "created_at")]
        if self.since:
            conditions += [Task.created_at >= self.since, getattr(Task, self.order) >= self.since]
        if self.until:
            conditions.append(Task.created_at < self.until)
        if self.order != "created_at":
            query = query.order_by(Task.finished_at.desc(), Task.id.desc())
        return query.where(*conditions) if conditions else query


def _has(field: Any, word: str) -> Any:
    # LIKE knows the case of English letters by itself: on SQLite, that is three times as fast.
    return (field if word.isascii() else fn.LOWER(field)).contains(word)
