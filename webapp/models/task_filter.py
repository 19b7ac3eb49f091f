"""TaskFilter: which of a person's tasks are wanted, in the words in which people ask for them."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any

from peewee import SQL, ModelSelect, fn

from tasks.engine.models.state import FINISHED, Group, State
from tasks.engine.models.task import Task
from webapp.models.search import all_of
from webapp.models.user import User

SEVERAL = "several"  # as a name: a workflow, which has no function
MOST_SEARCHED = 1000


@dataclass(frozen=True)
class TaskFilter:
    """What a task must be like. What is empty demands nothing; times are naive UTC, `until` itself is left out.

    `group` is one of `Group`. Times are found by index, with a state or a kind; but what has ended is not found by its
    state until a day, which is one of starts. What else is wanted is looked for one by one, among the MOST_SEARCHED
    latest of these; `older` is where another filter ended.
    """

    group: str = ""
    name: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    older: datetime | None = None

    def of(self, user: User) -> "ModelSelect[Task]":
        """This person's tasks that are like it, by `order`, the latest first; workflows without their children.

        Each word of the text must stand somewhere in the title or in what went wrong. One query for a press, which may
        read all tasks of the person; what a page shows comes from `search`.
        """
        return self._among(self._by_index(user, self._indexed, self._earliest(user)))

    def search(self, user: User) -> tuple[list["ModelSelect[Task]"], datetime | None]:
        """The same in parts, each of which an index has in order, and the `older` of the filter that goes on, if any.

        None in two parts. At most one query itself.
        """
        earliest = self._earliest(user)
        return [self._among(part) for part in self._parts(user, earliest)], earliest

    @property
    def order(self) -> str:
        """The column by which they are ordered: their end where that is by index, and otherwise their start."""
        return "finished_at" if self._indexed and self._indexed <= FINISHED else "created_at"

    @property
    def _states(self) -> frozenset[State]:
        return Group(self.group).states if self.group else frozenset()

    @property
    def _indexed(self) -> frozenset[State]:
        """The states that are found by index, in the order of the list: those that have ended by their end alone."""
        return frozenset() if self.until and self._states <= FINISHED else self._states

    def _parts(self, user: User, earliest: datetime | None = None) -> list["ModelSelect[Task]"]:
        """A group has several states; an index has one after the other."""
        each = [frozenset({state}) for state in sorted(self._indexed)]
        return [self._by_index(user, states, earliest) for states in each or [self._indexed]]

    def _by_index(self, user: User, states: frozenset[State], earliest: datetime | None) -> "ModelSelect[Task]":
        """Each end of a span is said once, as narrow as it is: by what is said twice, SQLite takes another index."""
        query, time, conditions = Task.of(user), getattr(Task, self.order), list[Any]()
        if states:
            is_one = Task.state == min(states) if len(states) == 1 else Task.state.in_(sorted(states))
            # What follows from the states, and databases need to be told to take the index.
            conditions += [is_one, Task.finished_at.is_null(self.order == "created_at")]
        if begin := earliest or self.since:
            conditions.append(time >= begin)
        if self.since and self.order != "created_at":
            conditions.append(Task.created_at >= self.since)
        if ends := [end for end in (self.until, self.older) if end]:
            conditions.append(time < min(ends))  # with `until`, they are ordered by when they were created
        if self.name and not states:
            conditions.append(Task.name == self._kind)
        if self.order != "created_at":
            query = query.order_by(Task.finished_at.desc(), Task.id.desc())
        return query.where(*conditions) if conditions else query

    def _one_by_one(self) -> list[Any]:
        conditions = list[Any]()
        if self.name and self._indexed:
            conditions.append(unindexed(Task.name) == self._kind)
        if self._states != self._indexed:
            conditions.append(unindexed(Task.state).in_([state.value for state in sorted(self._states)]))
        if words := self.text.lower().split():
            conditions.append(all_of([has_word(Task.title, word) | has_word(Task.error, word) for word in words]))
        return conditions

    @property
    def _kind(self) -> str:
        return "" if self.name == SEVERAL else self.name

    def _earliest(self, user: User) -> datetime | None:
        """The time of the last of the MOST_SEARCHED tasks, if some are looked for one by one, and there are so many."""
        if not self._one_by_one():
            return None
        time, parts = getattr(Task, self.order), self._parts(user)
        last: datetime | None
        if len(parts) == 1:
            last = parts[0].select(time).offset(MOST_SEARCHED - 1).limit(1).scalar()
            return last
        latest = [part.select(time.alias("time")).limit(MOST_SEARCHED) for part in parts]
        # In a union, each with a limit of its own.
        together: Any = reduce(add, [some.select_from(some.c.time) for some in latest])
        last = time.python_value(together.order_by(SQL("time").desc()).offset(MOST_SEARCHED - 1).limit(1).scalar())
        return last

    def _among(self, query: "ModelSelect[Task]") -> "ModelSelect[Task]":
        conditions = self._one_by_one()
        return query.where(*conditions) if conditions else query


def unindexed(field: Any) -> Any:
    """What stands in a field of text, for a condition that is to be looked at one by one.

    By the field itself, SQLite would take an index that has it, and then sort all that it finds.
    """
    return fn.COALESCE(field, "")


def has_word(field: Any, word: str) -> Any:
    """The condition that a word stands in a field, whatever its case. Nothing in it stands for anything else."""
    # LIKE knows the case of English letters by itself: on SQLite, that is three times as fast.
    return (field if word.isascii() else fn.LOWER(field)).contains(word)
