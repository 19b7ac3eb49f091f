"""StoredFile: one of the files that a person stores, and why it cannot be deleted now."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from tasks.engine.models.artifact import Artifact, Kind
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from webapp.models.user import User


class Order(StrEnum):
    """In which order files are listed."""

    SIZE = "size"
    AGE = "age"


class Obstacle(StrEnum):
    """Why a file cannot be deleted."""

    UNFINISHED = "unfinished"  # its task may need it
    HALF_WRITTEN = "half_written"  # a retry goes on with it
    SCHEDULED = "scheduled"  # it goes with a mail that can still be changed
    BEING_SENT = "being_sent"
    NOT_SENT_TO_ALL = "not_sent_to_all"


Key: TypeAlias = UUID | int
Value: TypeAlias = int | datetime
# Where a list goes on: the size or the time of the last file, the letter of its source, and its id.
Position: TypeAlias = tuple[Value, str, Any]


@dataclass(frozen=True)
class StoredFile:
    """A file with what it belongs to: an artifact or an upload with its task, unless a subclass says otherwise."""

    letter: ClassVar[str] = "a"  # of its source

    id: Key
    name: str
    size: int
    created_at: datetime
    task: Task | None  # None if there is none yet
    artifact: Artifact | None = None

    @property
    def is_upload(self) -> bool:
        """Whether a task was given it."""
        return self.artifact is not None and self.artifact.kind is Kind.UPLOAD

    @property
    def obstacle(self) -> Obstacle | None:
        """Why it cannot be deleted, or None."""
        if self.task is None or self.task.state == State.SUCCEEDED:
            return None
        return self.obstacle_by(self.task)

    def obstacle_by(self, task: Task) -> Obstacle | None:
        """The same where it belongs to this task, which has not succeeded."""
        if not task.is_finished:
            return Obstacle.UNFINISHED
        return None if self.artifact and self.artifact.completed_at else Obstacle.HALF_WRITTEN

    def position(self, order: Order) -> Position:
        """Where the list goes on after it."""
        return self.size if order is Order.SIZE else self.created_at, self.letter, self.id


@dataclass(frozen=True)
class Source:
    """Where files of one sort are found, and how they are deleted.

    `files_of` takes a person, an order, the position to begin after, and how many at most. `strangers` returns those of
    some ids that are not that person's; `delete` deletes those that are and may go, and returns how many those were.
    """

    key: type[UUID] | type[int]
    files_of: Callable[[User, Order, Position | None, int], list[Any]]
    strangers: Callable[[User, Collection[Any]], Collection[Key]]
    delete: Callable[[User, Collection[Any]], int]


def in_order(query: Any, model: Any, key: Any, letter: str, order: Order, after: Position | None) -> Any:
    """A source's rows after a position, in order. The first condition is what an index finds the place by.

    Where values are equal, sources are in the order of their letters.
    """
    value = model.size if order is Order.SIZE else model.created_at
    query = query.order_by(value.desc(), key.desc())
    if after is None:
        return query
    at, source, last = after
    if letter == source:
        return query.where(value <= at, (value < at) | (key < last))
    return query.where(value < at if letter < source else value <= at)
