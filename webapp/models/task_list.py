"""TaskList: which tasks a program asks for, by whom, and page by page, each at the same cost."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import ModelSelect

from tasks.engine.models.state import FINISHED, State
from tasks.engine.models.task import Task
from webapp.models.ordered_parts import OrderedParts, Part, Place
from webapp.models.search import all_of
from webapp.models.task_filter import MOST_SEARCHED, has_word, unindexed
from webapp.models.user import User


@dataclass(frozen=True, kw_only=True)
class TaskList:
    """Whose tasks, and what they must be like: what is empty demands nothing. The latest come first.

    Those of `owner`, or the children of `parent`, or else everybody's, which is for those whose role allows that.
    A `name` is that of a task function, empty for workflows. Times are naive UTC: `since` counts, `until` does not.
    Each word of the `text` must stand in the title, or in what went wrong unless `titles_only`.

    An index finds one's own tasks by their states, and else by their kind, and all by when they were created. What
    else is demanded is looked for one by one, among the MOST_SEARCHED next: so a page may be short, or empty, and not
    the last.
    """

    owner: User | None = None
    parent: UUID | None = None
    states: frozenset[State] = frozenset()
    name: str | None = None
    text: str = ""
    titles_only: bool = False
    since: datetime | None = None
    until: datetime | None = None

    @property
    def order(self) -> str:
        """The time by which they are ordered: of their end, where only such are wanted that have ended."""
        return "finished_at" if self._by_state and self.states <= FINISHED else "created_at"

    def all(self) -> "ModelSelect[Task]":
        """All that are like it, the latest first, for one press for many. It may read all tasks of its owner."""
        conditions = list(self._one_by_one)
        if self._by_state:
            conditions.append(Task.state.in_(sorted(self.states)))
        if self.since:
            conditions.append(Task.created_at >= self.since)
        if self.until:
            conditions.append(Task.created_at < self.until)
        query: ModelSelect[Task] = self._whose().order_by(Task.created_at.desc(), Task.id.desc())
        return query.where(*conditions) if conditions else query

    def page(self, after: Place | None, size: int) -> tuple[list[Task], Place | None]:
        """As many as there are on a page that begins after a place, and the place where it ends; None at the end.

        At most three queries: how far to look, the ids of tasks in several states, and the tasks.
        """
        return OrderedParts(self._parts(), MOST_SEARCHED).page(after, size)

    @property
    def _by_state(self) -> bool:
        """Whether their states are found by index: all or none have ended, and days are not of when they began."""
        is_mixed = self.states & FINISHED and self.states - FINISHED
        is_by_end = self.states <= FINISHED
        return bool(self.owner and self.states and not is_mixed and not (is_by_end and self.until))

    @property
    def _one_by_one(self) -> list[Any]:
        """What no index finds."""
        conditions = list[Any]()
        if self.states and not self._by_state:
            conditions.append(unindexed(Task.state).in_([state.value for state in sorted(self.states)]))
        if self.name is not None and (self._by_state or not self.owner):
            conditions.append(unindexed(Task.name) == self.name)
        if self.since and self.order != "created_at":
            conditions.append(Task.created_at >= self.since)
        if words := self.text.lower().split():
            conditions.append(all_of([self._has(word) for word in words]))
        return conditions

    def _has(self, word: str) -> Any:
        found = has_word(Task.title, word)
        return found if self.titles_only else found | has_word(Task.error, word)

    def _parts(self) -> tuple[Part, ...]:
        """What an index has in order: one part, or one for each state."""
        time, whose = getattr(Task, self.order), self._whose()
        span: dict[str, Any] = {
            "time": time,
            "begin": self.since,
            "end": self.until,
            "conditions": tuple(self._one_by_one),
        }
        if not self._by_state:
            return (Part(query=whose, **span),)
        # What follows from the states, and databases need to be told to take the index.
        whose = whose.where(Task.finished_at.is_null(self.order == "created_at"))
        return tuple(Part(query=whose.where(Task.state == state), **span) for state in sorted(self.states))

    def _whose(self) -> Any:
        if self.parent:
            return Task.below(self.parent)
        if not self.owner:
            return Task.of_all()
        query = Task.of(self.owner)
        return query.where(Task.name == self.name) if self.name is not None and not self._by_state else query
