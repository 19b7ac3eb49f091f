"""Tables: the rows of a CSV file, each with its number, however long it is and whatever quotation marks it lacks.

The `csv` module takes what follows a cell that is too long for rows of their own, and all that follows a quotation mark
that nobody closes for one cell. Here each row is either whole or named as wrong, and reading goes on with the next.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tasks.lib.decoding import Text
from tasks.lib.scanning import LONGEST, Scanner

TOO_LONG = f"Too long to read; the limit is {LONGEST:,} characters."
UNCLOSED = "A quotation mark opens a cell and is never closed."
_NEW_LINE, _NEW_LINES = re.compile("\n"), re.compile("\n*+")
_QUOTE_OR_LINE = re.compile('["\n]')
# Within quotation marks: as much as belongs to the cell beyond doubt, and is in one line or in any.
_IN_LINE, _IN_LINES = re.compile(r'(?:[^"\n]++|"")*+'), re.compile(r'(?:[^"]++|"")*+')
_SPACES = re.compile(" *+")


class Record(NamedTuple):
    """A row of a table, numbered from 1 as in a spreadsheet. With a problem, the cells are what could be read of it."""

    number: int
    cells: list[str]
    problem: str = ""


class Table:
    """The rows of a text whose columns are separated by a character, or not at all. Each iteration begins anew."""

    def __init__(self, text: Text, separator: str = "", skip_lines: int = 0) -> None:
        self._text = text
        self._separator = separator
        self._skip_lines = skip_lines
        mark = re.escape(separator)
        self._patterns = re.compile(f"[{mark}\n]"), re.compile(rf'(?:(?:[^"{mark}\n][^{mark}\n]*+)?+{mark})*+')

    def __iter__(self) -> Iterator[Record]:
        """The rows in order, empty lines left out but counted. In constant memory, and in time linear in the text:
        what is read again, behind a line whose quotation mark is not closed, has none that is not closed in its line.
        """
        scanner = Scanner(self._text)
        for _ in range(self._skip_lines):
            scanner.up_to(_NEW_LINE)
        number = 1
        while following := scanner.next_is():
            if following == "\n":
                number += len(scanner.pass_over(_NEW_LINES))
                continue
            yield self._record(scanner, number)
            number += 1

    def _record(self, scanner: Scanner, number: int) -> Record:
        scanner.keep_anew()
        begin = scanner.place
        line = scanner.line()
        if line is not None and '"' not in line:
            return Record(number, line.split(self._separator) if self._separator else [line])
        scanner.go_to(begin)
        return _Reading(scanner, self._separator, *self._patterns).record(number)


class _Reading:
    """How one row is read that has quotation marks, or is not at hand as a whole."""

    def __init__(
        self, scanner: Scanner, separator: str, cell_ends: re.Pattern[str], plain_cells: re.Pattern[str]
    ) -> None:
        self._scanner = scanner
        self._separator = separator
        self._cell_ends, self._plain_cells = cell_ends, plain_cells
        self._begin = scanner.place
        self._behind: tuple[int, int] | None = None  # the line in which the present cell was opened
        self._cells: list[str] = []
        self._length = 0

    def record(self, number: int) -> Record:
        """The row, from where the scanner is; that is then behind it."""
        while True:
            self._scanner.keep_anew()
            quoted = self._scanner.next_is() == '"'
            end = self._quoted() if quoted else self._scanner.up_to(self._cell_ends)
            if end is None:
                return self._unclosed(number)
            self._add()
            if end != self._separator or not end:
                return Record(number, self._cells, TOO_LONG if self._length > LONGEST else "")
            if self._length > LONGEST and self._separator:
                self._scanner.pass_over(self._plain_cells)  # nothing of them is kept

    def _add(self) -> None:
        """Take the cell; of a row that is too long, only its beginning."""
        self._length += 1 + (LONGEST if self._scanner.is_too_long else len(self._scanner.kept()))
        if self._length <= LONGEST:
            self._cells.append(self._scanner.kept())

    def _quoted(self) -> str | None:
        """Read a cell in quotation marks; what ends it, or None if they are not closed.

        A mark that closes is followed by the end of its cell. Otherwise it belongs to the text if it stands in the line
        that opened the cell, as in `"big" shoes`; in a later line it opens another cell, and the first was not closed.
        """
        scanner = self._scanner
        scanner.skip()
        self._behind = None
        while True:
            scanner.keep(scanner.pass_over(_IN_LINES if self._behind else _IN_LINE).replace('""', '"'))
            mark = scanner.up_to(_QUOTE_OR_LINE)
            if not mark:
                return None
            if mark == "\n":
                scanner.keep(mark)
                self._behind = self._behind or scanner.place
            elif scanner.next_is() == mark:
                scanner.keep(mark)
                scanner.skip()
            elif self._ends() or not self._behind:
                return scanner.up_to(self._cell_ends)
            else:
                return None

    def _ends(self) -> bool:
        """Whether the cell ends here, but for spaces."""
        while (following := self._scanner.next_is()) == " " != self._separator:
            self._scanner.keep(self._scanner.pass_over(_SPACES))
        return following in ("", "\n", self._separator)

    def _unclosed(self, number: int) -> Record:
        """The row ends with the line that opened the cell, and reading goes on with the next."""
        scanner, behind = self._scanner, self._behind or self._scanner.place
        scanner.go_to(self._begin)
        scanner.keep_anew()
        while scanner.up_to(_NEW_LINE) and scanner.place < behind:
            scanner.keep("\n")
        return Record(number, [scanner.kept()], UNCLOSED)
