"""Run: what a task function gets as its first argument, to say how far it is and to leave what it made."""

import threading
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

from peewee import Expression, ModelSelect, Ordering

from webapp.models import Artifact, ArtifactWriter, Task, User
from webapp.models.artifact import Kind, checked_link

BATCH = 500
Item = TypeVar("Item")


class TaskError(Exception):
    """Raise it in a task function to end the task as failed. Its text is what the task's owner reads."""


class Stop(BaseException):
    """Ends a run at its next step. Not an Exception, so that no task function catches it by mistake."""


class Canceled(Stop):
    """The owner asked the task to stop."""


class Released(Stop):
    """The worker is shutting down: the task goes back to wait for another."""


class LostTask(Stop):
    """Another run has the task. This one must write nothing more."""


class Run:
    """One run of a task. Steps are cheap: they count in memory, and the reporter writes them at a bounded rate.

    Each step is also where a run notices that it should stop; it then raises a Stop through the task function.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._done = 0
        # How many steps there are, or None while that is unknown; the bar then shows no share.
        self.total: int | None = None
        self._stage = ""
        self._reported: tuple[int, int | None, str] = (0, None, "")
        self._stop: type[Stop] | None = None
        self._wake = threading.Event()

    @property
    def user(self) -> User:
        """Who started the task."""
        return self._task.user

    @property
    def id(self) -> str:
        """The task's id; the same in every run of it."""
        return str(self._task.id)

    @property
    def done(self) -> int:
        """How many steps this run has made."""
        return self._done

    def advance(self, steps: int = 1) -> None:
        """Count steps as made. Raises a Stop when the run should end here.

        A run that has made its last step is let to finish, unless it has lost its task.
        """
        self._done += steps
        if self._stop and (self._done != self.total or self._stop is LostTask):
            raise self._stop

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """Go through items, counting each as a step when the next is asked for.

        A query is read in batches of BATCH rows, in constant memory however long it is. It must be ordered, ascending,
        by columns that together are unique, or not at all, which means by its primary key. Unless the task has said
        what its total is, it becomes the query's count, or the length of what has one.
        """
        if isinstance(items, ModelSelect):
            self.total = items.count() if self.total is None else self.total
            items = _in_batches(items)
        elif isinstance(items, Sized) and self.total is None:
            self.total = len(items)
        self.advance(0)
        for item in items:
            yield item
            self.advance()

    def wait(self, seconds: float) -> None:
        """Do nothing for so long. Returns early when the run should stop; the next step then raises."""
        self._wake.wait(seconds)

    def stage(self, text: str) -> None:
        """Say in a few words what the task is doing now. Also a step at which the run may stop."""
        self._stage = text
        self.advance(0)

    def log(self, text: str) -> None:
        """Add a line to the task's timeline. Writes at once: for what is worth remembering, not for each step."""
        self._task.log(text)

    def artifact(self, name: str) -> ArtifactWriter:
        """A file for the owner to download, written in constant memory: `with task.artifact("a.csv") as out: …`."""
        return ArtifactWriter(self._task, name)

    def attach(
        self, name: str, data: str | bytes | None = None, *, url: str | None = None, text: str | None = None
    ) -> Artifact:
        """Leave a whole artifact at once: a file's data, a link (http or https), or a text to read on the page."""
        given = {Kind.FILE: data, Kind.LINK: None if url is None else checked_link(url), Kind.TEXT: text}
        contents = {kind: content for kind, content in given.items() if content is not None}
        if len(contents) != 1:
            raise TypeError("attach takes one of data, url and text")
        [(kind, content)] = contents.items()
        with ArtifactWriter(self._task, name, kind) as out:
            out.write(content)
        return out.artifact

    # For the reporter and the engine

    def ask_to_stop(self, stop: type[Stop]) -> None:
        """End this run at its next step, and any `wait` now. The first reason stands."""
        self._stop = self._stop or stop
        self._wake.set()

    def unreported(self) -> tuple[int, int | None, str] | None:
        """How far it is, if that has not been reported; from another thread than the run's."""
        now = (self._done, self.total, self._stage)
        return None if now == self._reported else now

    def was_reported(self, news: tuple[int, int | None, str]) -> None:
        """Remember what the row says by now."""
        self._reported = news


def _in_batches(query: Any) -> Iterator[Any]:
    """The rows of a query, BATCH at a time, each batch beginning after the last row of the one before."""
    if query._limit is not None or query._offset is not None:
        raise ValueError("each() reads a whole query: one without limit and offset")
    columns = [_column(order) for order in query._order_by or [query.model._meta.primary_key]]
    query = query.order_by(*columns).limit(BATCH)
    after: Expression | None = None
    while batch := list(query.where(after) if after is not None else query):
        yield from batch
        after = _after(columns, [getattr(batch[-1], column.name) for column in columns])


def _column(order: Any) -> Any:
    if isinstance(order, Ordering):
        if order.direction != "ASC":
            raise ValueError("each() reads a query in ascending order only")
        return order.node
    return order


def _after(columns: list[Any], values: list[Any]) -> Any:
    """(a, b) > (x, y), spelled as a > x OR (a = x AND b > y), which every database and its indexes understand."""
    column, value = columns[0], values[0]
    if len(columns) == 1:
        return column > value
    return (column > value) | ((column == value) & _after(columns[1:], values[1:]))
