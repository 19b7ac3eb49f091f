"""Recipients: the addresses in what people type or upload, with what is wrong, line by line."""

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO

from email_validator import EmailNotValidError, validate_email

SEPARATOR = re.compile("[,;]")
NAMED = re.compile(r"(.*)<\s*([^<>]*?)\s*>")
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Slip:
    """Something in a line that is no new address: what was typed, and why it is not mailed to."""

    line: int
    text: str
    words: str


@dataclass
class Recipients:
    """The addresses of a text, each once, in order. `bad` ones must be corrected; `duplicates` are left out."""

    addresses: list[str] = field(default_factory=list)
    bad: list[Slip] = field(default_factory=list)
    duplicates: list[Slip] = field(default_factory=list)


def read_recipients(text: str) -> Recipients:
    """The addresses in a text, separated by commas, semicolons and new lines, alone or as `Name <address>`.

    An address is known again in upper and in lower case. Whether its server exists is not asked.
    """
    found = Recipients()
    first_lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for typed in filter(None, map(str.strip, _split(line))):
            address, problem = _checked(typed)
            if problem:
                found.bad.append(Slip(number, typed[:100], problem))
            elif (key := address.casefold()) in first_lines:
                found.duplicates.append(Slip(number, typed[:100], f"It is in line {first_lines[key]} already."))
            else:
                first_lines[key] = number
                found.addresses.append(address)
    return found


def from_file(data: bytes) -> str:
    """The addresses in a file, one a line: of each row of a CSV the cell that holds one; else the row as it is.

    A first row without any address is taken for the names of the columns. Never raises: what is not text comes out as
    lines that are no addresses.
    """
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    text = data.decode(encoding, errors="replace").replace("\0", "")
    lines = text.splitlines()
    delimiter = max(DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines[:20]))
    try:
        rows = list(csv.reader(StringIO(text), delimiter=delimiter))
    except csv.Error:
        return text
    found = [[cell.strip() for cell in row if "@" in cell] or [", ".join(filter(None, row)).strip()] for row in rows]
    if rows and "@" not in found[0][0] and any("@" in cells[0] for cells in found):
        found = found[1:]
    return "\n".join(cell for cells in found for cell in cells if cell)


def _split(line: str) -> list[str]:
    """What stands between commas and semicolons; in quotes, as in "Doe, Jane" <jane@example.com>, they part nothing."""
    quotes, begin, parts = False, 0, []
    for place, character in enumerate(line):
        if character == '"':
            quotes = not quotes
        elif character in ",;" and not quotes:
            parts.append(line[begin:place])
            begin = place + 1
    return SEPARATOR.split(line) if quotes else [*parts, line[begin:]]  # a quote that never ends is none


@lru_cache(maxsize=20_000)
def _checked(typed: str) -> tuple[str, str]:
    """The address in what was typed, and an empty string; or what is wrong with it."""
    named = NAMED.fullmatch(typed)
    try:
        checked = validate_email(
            named[2] if named else typed.removeprefix("mailto:"), check_deliverability=False, allow_smtputf8=False
        )
    except EmailNotValidError as error:
        return "", str(error)
    return checked.ascii_email or checked.normalized, ""
