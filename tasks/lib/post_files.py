"""Files of posts: tables and JSON, ours and those of others, row by row, with what is wrong with each."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from tasks.engine import TaskError, Upload
from tasks.lib.csv_cells import unescape_formula
from tasks.lib.decoding import UNDECODABLE, Encoding, Text, recognize
from tasks.lib.json_items import JsonItems, begins_as_json
from tasks.lib.layouts import SEPARATORS, find_layout, ignored, moment_of
from tasks.lib.scanning import LONGEST
from tasks.lib.tables import Record, Table
from webapp.lib.i18n import ngettext
from webapp.lib.normalization import is_blank
from webapp.lib.times import utcnow
from webapp.models.post import POST_LENGTH

Found = TypeVar("Found")
BEGINNING = 4  # pieces, in which the layout is found
ERRORS = ["row", "reason"]  # the first columns of the table of what was refused


class Row(NamedTuple):
    """One row of the file, numbered as in a spreadsheet: a post, or what is wrong with it.

    `cells` are those of the file, as far as they could be read, for whoever corrects them.
    """

    number: int
    body: str = ""
    created_at: datetime | None = None
    problem: str = ""
    cells: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many characters it has."""
        return sum(map(len, self.cells))


class PostFile(Protocol):
    """A file of posts. Each iteration begins anew, in constant memory; it raises TaskError for what is no such file."""

    item: str  # what holds a post there
    columns: list[str]  # the names of the cells
    notes: list[str]  # how it was understood, a sentence each

    @property
    def is_cut(self) -> bool:
        """Whether there is more than was to be read."""

    def __iter__(self) -> Iterator[Row]: ...


def open_posts(file: Upload, most: int | None = None) -> PostFile:
    """A file of posts, whose encoding and layout are found in its beginning; with `most`, that many pieces of it.

    Raises TaskError, in words, for what is no such file.
    """
    encoding = recognize(file)
    beginning, text = Text(file, encoding, BEGINNING), Text(file, encoding, most)
    is_json = file.name.lower().endswith(".json") or begins_as_json(beginning)
    return (PostJson if is_json else PostTable)(text, beginning, file.name, encoding)


class _Decoded:
    """A file whose encoding is known."""

    def __init__(self, text: Text, encoding: Encoding) -> None:
        self._text, self._encoding = text, encoding
        self._opened_at = utcnow()

    @property
    def is_cut(self) -> bool:
        """Whether there is more than was to be read."""
        return self._text.was_cut

    def _checked(self, number: int, body: str, written: str, cells: tuple[str, ...]) -> Row:
        """A row of which body and timestamp have been found."""
        body = body.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()
        written = written.strip()
        if problem := _problem(body, written, self._encoding):
            return Row(number, problem=problem, cells=cells)
        try:
            moment = moment_of(written)
        except (ValueError, OverflowError):
            return Row(number, problem=f"“{written[:40]}” is not a timestamp like 2026-11-21T09:30:00Z.", cells=cells)
        if moment and moment > self._opened_at and moment > utcnow():  # the clock is rarely asked
            return Row(number, problem="The timestamp is in the future.", cells=cells)
        return Row(number, body, moment, "", cells)


class PostTable(_Decoded):
    """A table of posts."""

    item = "row"

    def __init__(self, text: Text, beginning: Text, name: str, encoding: Encoding) -> None:
        super().__init__(text, encoding)
        self._layout = find_layout(beginning, name)
        names = self._layout.names
        # What was refused once, and comes back corrected, has our own columns in front.
        self._first = len(ERRORS) if [name.lower() for name in names[: len(ERRORS)]] == ERRORS else 0
        self.columns = names[self._first :]
        between = SEPARATORS.get(self._layout.separator, self._layout.separator)
        read = (
            f"Read as {encoding}, {f'with columns separated by {between}' if len(names) > 1 else 'one post per row'}."
        )
        self.notes = [read, *self._layout.notes]

    def __iter__(self) -> Iterator[Row]:
        layout = self._layout
        records = Table(self._text, layout.separator, layout.skip_lines)
        return _whole((self._row(record) for record in records if record.number > layout.heading), self._text)

    def _row(self, record: Record) -> Row:
        cells = [unescape_formula(cell) for cell in record.cells]
        kept, width, layout = tuple(cells[self._first :]), len(self._layout.names), self._layout
        if record.problem:
            return Row(record.number, problem=record.problem, cells=tuple(cells))
        if len(cells) != width:
            columns = ngettext("%(num)s column", "%(num)s columns", len(cells))
            return Row(record.number, problem=f"{columns} instead of {width}.", cells=kept)
        written = cells[layout.timestamp] if layout.timestamp is not None else ""
        return self._checked(record.number, cells[layout.body], written, kept)


class PostJson(_Decoded):
    """The posts of a JSON file, numbered from 1."""

    item = "item"
    columns = ["body", "timestamp"]

    def __init__(self, text: Text, beginning: Text, name: str, encoding: Encoding) -> None:
        super().__init__(text, encoding)
        self._items = JsonItems(text, name)
        _, first = next(_whole(iter(JsonItems(beginning, name)), beginning), (0, None))
        keys = [key for key in first if key not in self.columns] if isinstance(first, dict) else []
        self.notes = [f"Read as JSON in {encoding}.", *ignored(keys)]

    def __iter__(self) -> Iterator[Row]:
        return _whole((self._row(number, item) for number, item in self._items), self._text)

    def _row(self, number: int, item: Any) -> Row:
        if item is None:
            return Row(number, problem=f"Too long to read; the limit is {LONGEST:,} characters.")
        body, written = (item.get("body"), item.get("timestamp") or "") if isinstance(item, dict) else (None, "")
        if not isinstance(body, str) or not isinstance(written, str):
            return Row(
                number,
                problem="Not a post; that has a body, and optionally a timestamp.",
                cells=(json.dumps(item, ensure_ascii=False),),
            )
        return self._checked(number, body, written, (body, written))


def _whole(rows: Iterator[Found], text: Text) -> Iterator[Found]:
    """What is found up to where a text is cut; what touches its end there is none."""
    try:
        for row in rows:
            if text.was_cut:
                return
            yield row
    except TaskError:
        if not text.was_cut:
            raise


def _problem(body: str, written: str, encoding: Encoding) -> str:
    if not (body.isascii() and written.isascii()) and UNDECODABLE.search(f"{body}{written}"):
        return f"Some characters can’t be read as {encoding}."
    if is_blank(body):
        return "The body is empty."
    if len(body) > POST_LENGTH:
        return f"The body has {len(body):,} characters; the limit is {POST_LENGTH}."
    return ""
