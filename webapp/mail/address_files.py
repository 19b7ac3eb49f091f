"""Address files: the addresses in a CSV or text file that somebody has, as lines that they could have typed."""

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from webapp.mail.recipient_entries import SEPARATORS, is_heading, names_addresses
from webapp.mail.recipients import MOST_CHECKED, TEXT_LENGTH, cut

FILE_LENGTH = 4 * 1024 * 1024  # bytes: 5,000 people with all that an address book says of them
CHUNK = 64 * 1024
DELIMITERS = f"{SEPARATORS}|"
MOST_LINES = 50_000
LOOKED_AT = 20  # lines, to find out what separates the cells
LONGEST_ROW = 20  # lines: what is longer is no cell of several lines, but a quote that never ends


@dataclass(frozen=True)
class AddressFile:
    """What was found in a file: a text for `read_recipients`; how many rows of a table have no address at all; and how
    many lines were not read, since there are too many before them.
    """

    text: str
    without: int = 0
    unread: int = 0


def read_file(file: IO[bytes]) -> AddressFile:
    """The addresses in a file, one a line: of each row of a table the cells that hold one; else the row as it is.

    A first row without any address is taken for the names of the columns, and what they say of addresses is heeded.
    Reads at most FILE_LENGTH bytes and MOST_LINES lines, and ends when the text has TEXT_LENGTH characters or
    MOST_CHECKED lines. Never raises: what is no text comes out as lines that are no addresses.
    """
    lines = _decoded(file.read(FILE_LENGTH)).splitlines()
    rest = [chunk.count(b"\n") or chunk.count(b"\r") for chunk in iter(lambda: file.read(CHUNK), b"")]
    if rest and len(lines) > 1:
        rest.append(1)
        lines.pop()  # it is cut
    looked_at = [cut(line) for line in lines[:MOST_LINES]]
    rest.append(sum(bool(behind) for _, behind in looked_at))
    table = _Table()
    last = next((end for end, row in _rows([line for line, _ in looked_at]) if not table.add(row)), len(looked_at))
    return AddressFile("\n".join(table.found), table.without, len(lines) - last + sum(rest) + table.cut)


class _Table:
    """Takes the addresses out of one row after the other."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.without = self.cut = 0
        self._length = 0
        self._head = 0  # how many columns have names
        self._begun = False
        self._columns: list[int] = []

    def add(self, row: list[str]) -> bool:
        """Take one row; False once no more can be taken."""
        cells = [cell.strip() for cell in row[:MOST_CHECKED]]
        self.cut += len(row) > MOST_CHECKED
        if not any(cells):
            return True
        if not self._begun:
            self._begun = True
            if is_heading(cells) or (len(cells) > 1 and not any("@" in cell for cell in cells)):
                self._head = len(cells)
                self._columns = [number for number, cell in enumerate(cells) if names_addresses(cell)]
                return True
        found = self._addresses(cells)
        self.without += not found
        self.found += found
        self._length += sum(len(line) + 1 for line in found)
        return len(self.found) < MOST_CHECKED and self._length < TEXT_LENGTH

    def _addresses(self, cells: list[str]) -> list[str]:
        if self._columns and len(cells) == self._head:  # with more or fewer, who knows which is which
            cells = [cells[number] for number in self._columns]
            return [cell for cell in cells if "@" in cell] or [cell for cell in cells if cell][:1]
        if len(cells) == 1:
            return cells
        if not self._head and any("<" in cell for cell in cells):
            return [", ".join(cells)]  # no table, but a line of names and addresses
        return [cell for cell in cells if "@" in cell]


def _rows(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file, each with the number of lines up to its end."""
    at, delimiter = 0, max(DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines[:LOOKED_AT]))
    if lines and len(lines[0]) == len("sep=;") and lines[0].lower().startswith("sep="):  # as Excel writes it
        at, delimiter = 1, lines[0][-1]
    while at < len(lines):
        end = _end_of_row(lines, at)
        quoting = csv.QUOTE_MINIMAL if end else csv.QUOTE_NONE
        end = end or at + 1
        for row in _parsed(lines[at:end], delimiter, quoting):
            yield end, row
        at = end


def _end_of_row(lines: list[str], at: int) -> int:
    """The line behind the row that begins with a line: behind that in which its quotes end. 0 if they do not."""
    quotes = 0
    for end in range(at, min(at + LONGEST_ROW, len(lines))):
        quotes += lines[end].count('"')
        if quotes % 2 == 0:
            return end + 1
    return 0


def _parsed(lines: list[str], delimiter: str, quoting: int) -> list[list[str]]:
    try:
        return list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, quoting=quoting))  # type: ignore[arg-type]
    except csv.Error:  # a cell that is too long for any
        return [line.split(delimiter) for line in lines]


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(encoding, errors="replace").replace("\0", "")
