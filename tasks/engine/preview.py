"""Preview: what a task would do, shown before it is started."""

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.engine.config import config
from tasks.engine.errors import TaskError
from tasks.engine.functions import Function
from tasks.engine.uploads import TimeLimitedUpload, Upload


@dataclass(frozen=True)
class Preview:
    """The first rows of a table, and what is wrong with some.

    `notes` say how it understood what it was given, a sentence each. A cell may be anything: it is shown as its text,
    and None, as `csv.DictReader` gives it where a row is short, as nothing. Everything is read as the Preview is made,
    so what a generator raises, the preview function raises.
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


def make_preview(preview: Function[Preview], arguments: dict[str, object]) -> Preview:
    """Call a preview function.

    Raises TaskError, in words for people, if it finds something wrong, and TooLong if it still reads its files after
    `Config.preview_within` seconds. Anything else it raises, and a TypeError if it returns no Preview, is a bug in it.
    """
    try:
        made = preview(**{name: _time_limited(value) for name, value in arguments.items()})
    except TimeoutError as error:
        raise TooLong("This takes too long to preview. You can start it anyway.") from error
    if not isinstance(made, Preview):
        raise TypeError(f"{preview.__name__} returned {type(made).__name__}, and no Preview")
    return made


def _time_limited(value: object) -> object:
    if isinstance(value, list):
        return [_time_limited(each) for each in value]
    return TimeLimitedUpload(value, config().preview_within) if isinstance(value, Upload) else value
