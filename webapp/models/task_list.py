"""TaskList: which tasks a program asks for, by whom, and page by page, each at the same cost."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any
from uuid import UUID

from peewee import SQL, ModelSelect

from tasks.engine.models.state import FINISHED, State
from tasks.engine.models.task import Task
from webapp.models.search import all_of
from webapp.models.task_filter import MOST_SEARCHED, has_word, unindexed
from webapp.models.user import User

Place = tuple[datetime, UUID]  # of a row in the list; the list goes on after it


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
        floor = self._floor(after) if self._one_by_one else None
        wanted = [query.where(*self._one_by_one) for query in self._parts(after, floor)]
        found = self._latest(wanted, size + 1)
        if len(found) > size:
            last = found[size - 1]
            return found[:size], (getattr(last, self.order), last.id)
        return found, floor

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

    def _parts(self, after: Place | None, down_to: Place | None = None) -> list[Any]:
        """What an index has in order between two places: one part, or one for each state."""
        if not self._by_state:
            return [self._between(after, down_to, self._whose())]
        # What follows from the states, and databases need to be told to take the index.
        whose = self._whose().where(Task.finished_at.is_null(self.order == "created_at"))
        return [self._between(after, down_to, whose.where(Task.state == state)) for state in sorted(self.states)]

    def _whose(self) -> Any:
        if self.parent:
            return Task.below(self.parent)
        if not self.owner:
            return Task.of_all()
        query = Task.of(self.owner)
        return query.where(Task.name == self.name) if self.name is not None and not self._by_state else query

    def _between(self, after: Place | None, down_to: Place | None, query: Any) -> Any:
        """Of two conditions on the time the narrower alone: by what is said twice, SQLite takes another index."""
        time, conditions = getattr(Task, self.order), list[Any]()
        if after:  # the first follows from the second, and is what an index finds the place by
            conditions += [time <= after[0], (time < after[0]) | (Task.id < after[1])]
        elif self.until:
            conditions.append(Task.created_at < self.until)
        if down_to:
            conditions += [time >= down_to[0], (time > down_to[0]) | (Task.id >= down_to[1])]
        elif self.since:
            conditions.append(time >= self.since)
        return query.where(*conditions).order_by(time.desc(), Task.id.desc())

    def _floor(self, after: Place | None) -> Place | None:
        """The place of the last of the MOST_SEARCHED; None if there are fewer."""
        found = self._places(self._parts(after), MOST_SEARCHED, MOST_SEARCHED - 1)
        return found[0] if found else None

    def _latest(self, parts: list[Any], limit: int) -> list[Task]:
        if len(parts) == 1:
            return list(parts[0].limit(limit))
        places = self._places(parts, limit)  # in one query, as a task may come from one state to another meanwhile
        rows = {task.id: task for task in Task.by_ids([task_id for _, task_id in places])}
        return [rows[task_id] for _, task_id in places if task_id in rows]

    def _places(self, parts: list[Any], limit: int, offset: int = 0) -> list[Place]:
        time = getattr(Task, self.order)
        each = [part.select(time.alias("time"), Task.id.alias("key")).limit(limit) for part in parts]
        if len(each) == 1:
            query: Any = each[0].limit(limit - offset).offset(offset)
        else:  # in a union, each with a limit of its own
            together: Any = reduce(add, [some.select_from(some.c.time, some.c.key) for some in each])
            query = together.order_by(SQL("time").desc(), SQL("key").desc()).limit(limit - offset).offset(offset)
        key_of: Any = Task.id.python_value
        return [(time.python_value(at), key_of(key)) for at, key in query.tuples()]
