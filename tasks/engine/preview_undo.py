"""What a task function may offer besides being started: a look at what it would do, and a way back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.engine.retries import TaskError
from tasks.engine.uploads import Hurried, Upload
from webapp.models import Task, User

if TYPE_CHECKING:
    from tasks.engine.task_function import TaskFunction

PREVIEW_SECONDS = 5.0  # in which a web process reads files for it


@dataclass(frozen=True)
class Preview:
    """What a task would do, before it starts: the first rows of a table, and what is wrong with some.

    `notes` say how it understood what it was given, a sentence each. A cell may be anything: it is shown as its text,
    and None, as `csv.DictReader` gives it where a row is short, as nothing. All is read as the Preview is made, so what
    a generator raises, its function raises.
    """

    words: str
    head: Iterable[object] = ()
    rows: Iterable[Iterable[object]] = ()
    problems: Iterable[str] = ()
    notes: Iterable[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", _cells(self.head))
        object.__setattr__(self, "rows", tuple(map(_cells, self.rows)))
        object.__setattr__(self, "problems", tuple(self.problems))
        object.__setattr__(self, "notes", tuple(self.notes))


def _cells(row: Iterable[object]) -> tuple[str, ...]:
    return tuple("" if cell is None else str(cell) for cell in row)


class TooLong(TaskError):
    """A preview took too long, which says nothing about what it was given."""


def look(function: "TaskFunction", arguments: dict[str, Any]) -> Preview | None:
    """What a task of these arguments would do; None where its function has no preview.

    Raises TaskError, in words for people, if the function finds something wrong, and TooLong if it still reads its
    files after PREVIEW_SECONDS. Whatever else it raises, and a TypeError where it returns no Preview, is its fault.
    """
    if function.preview is None:
        return None
    try:
        preview = function.preview(**{name: _hurried(value) for name, value in arguments.items()})
    except TimeoutError as error:
        raise TooLong("This takes too long to preview. You can start it anyway.") from error
    if not isinstance(preview, Preview):
        raise TypeError(f"{function.name}: its preview returned {type(preview).__name__}, and no Preview")
    return preview


def _hurried(value: Any) -> Any:
    if isinstance(value, list):
        return [_hurried(each) for each in value]
    return Hurried(value, PREVIEW_SECONDS) if isinstance(value, Upload) else value


@dataclass(frozen=True)
class Undo:
    """How a finished task is taken back: by a task of `function`, which is given its `task_id` and its `title`.

    `is_possible` says whether there is anything left to take back.
    """

    label: str
    function: "TaskFunction"
    is_possible: Callable[[Task], bool]

    def offered(self, task: Task) -> bool:
        """Whether this task can be taken back now."""
        return task.is_finished and self.is_possible(task)

    def under_way(self, task: Task) -> Task | None:
        """What is taking it back now, if anything is."""
        return self.function.under_way(task.user, task_id=str(task.id), title=task.title)

    def launch(self, task: Task, user: User) -> Task:
        """Take a task back. Raises AlreadyRunning while that is under way."""
        return self.function.launch(user, task_id=str(task.id), title=task.title)
