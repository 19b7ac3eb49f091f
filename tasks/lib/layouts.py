"""Layouts: how a table of posts is written, found in its beginning: what separates columns, and which holds what."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import dropwhile, islice

from tasks.engine import TaskError
from tasks.lib.decoding import Text
from tasks.lib.tables import Record, Table
from webapp.lib.phrases import phrase

NO_HEADER = phrase(
    "layouts.no_header", "{file} needs a header row that names its columns: body, and optionally timestamp."
)
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# The names of columns, in small letters; the first is ours, the others are what else people call them.
BODY = ("body", "post", "text", "content", "message")
TIMESTAMP = ("timestamp", "created_at")
_SAMPLE = 20  # rows
_EXCEL = re.compile(r'"?sep=(.)"?[ ]*', re.IGNORECASE)  # a first line that tells Excel what separates columns


@dataclass(frozen=True)
class Layout:
    """How a table of posts is written: what separates its columns, and their names.

    `skip_lines` go before the table. `heading` is the number of the row of names, 0 where there is none. `body` and
    `timestamp` are the places of these columns, counted from 0.
    """

    separator: str
    skip_lines: int
    names: list[str]
    heading: int = 0
    body: int = 0
    timestamp: int | None = None

    @property
    def notes(self) -> list[str]:
        """What people should know of it, a sentence each."""
        found = []
        if not self.heading:
            times = ", and the second for their timestamps" if self.timestamp else ""
            found.append(f"No header row: the first column is used for the posts{times}.")
        elif self.names[self.body].lower() != BODY[0]:
            found.append(f"The column {self.names[self.body]} is used for the posts.")
        used = {self.body, self.timestamp}
        return [*found, *ignored(name for place, name in enumerate(self.names) if place not in used)]


def ignored(names: Iterable[str]) -> list[str]:
    """A sentence that names what is not read; none if there is nothing."""
    named = ", ".join(names)
    return [f"Ignored: {named}."] if named else []


def find_layout(text: Text, name: str) -> Layout:
    """The layout of a table. Raises TaskError, in words, for one that names its columns and none for posts."""
    told = _EXCEL.fullmatch((text.piece(0) or "")[:20].partition("\n")[0])
    separators = [told[1]] if told else list(SEPARATORS)
    samples = {each: _sample(text, Table(text, each, bool(told))) for each in separators}
    headings = {each: _names(sample[0]) for each, sample in samples.items() if sample}
    fitting = [each for each, names in headings.items() if set(BODY) & set(names)]
    if fitting:
        separator = max(fitting, key=lambda each: len(headings[each]))
        top, names = samples[separator][0], headings[separator]
        body, timestamp = _place(names, BODY), _place(names, TIMESTAMP)
        return Layout(separator, bool(told), _named(top.cells), top.number, body or 0, timestamp)
    if any(len(names) > 1 and set(TIMESTAMP) & set(names) for names in headings.values()):
        raise TaskError(NO_HEADER(file=name))
    return _without_names(samples, bool(told))


def _without_names(samples: dict[str, list[Record]], told: bool) -> Layout:
    """The layout of a table without a row of names: the first column are the posts, the second may be their times."""
    fits = {each: _fits(sample, told) for each, sample in samples.items()}
    separator = max(fits, key=lambda each: fits[each])
    has_times, width = fits[separator]
    if not width:
        return Layout("", told, ["body"])
    names = ["body", "timestamp" if has_times else "", *[""] * width][:width]
    return Layout(separator, told, _named(names), timestamp=1 if has_times else None)


def moment_of(written: str) -> datetime | None:
    """ISO 8601 as naive UTC, None for nothing; without a zone it is UTC. Raises ValueError or OverflowError."""
    if not written:
        return None
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        return moment
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).replace(tzinfo=None)


def _sample(text: Text, table: Table) -> list[Record]:
    """The first rows, from the first on that says anything."""
    sample = [record for record in islice(table, _SAMPLE) if not text.was_cut]
    return list(dropwhile(lambda record: not any(map(str.strip, record.cells)), sample))


def _names(record: Record) -> list[str]:
    return [cell.strip().lower() for cell in record.cells]


def _named(cells: list[str]) -> list[str]:
    """The columns' names as they are written; those without one by their places."""
    return [cell.strip() or f"column {place}" for place, cell in enumerate(cells, 1)]


def _place(names: list[str], wanted: tuple[str, ...]) -> int | None:
    """Where the first of the names that are wanted stands."""
    return next((names.index(name) for name in wanted if name in names), None)


def _fits(sample: list[Record], told: bool) -> tuple[bool, int]:
    """Whether the second of the columns that a character separates are times, and how many columns there are, or 0.

    Rows of one width are columns; one row alone, or rows of different widths, is text in which the character stands.
    """
    rows = [record.cells for record in sample if not record.problem]
    widths = {len(cells) for cells in rows}
    if not rows or len(widths) > 1 or widths == {1}:
        return (False, min(widths, default=0) if told else 0)
    has_times = all(_is_time(cells[1]) for cells in rows) and any(cells[1].strip() for cells in rows)
    return (has_times, widths.pop() if has_times or told or len(rows) > 1 else 0)


def _is_time(cell: str) -> bool:
    try:
        moment_of(cell.strip())
    except (ValueError, OverflowError):
        return False
    return True
