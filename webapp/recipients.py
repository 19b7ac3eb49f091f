"""Recipients: the addresses in what people type or paste, with what is wrong, line by line.

No pattern sees what was typed: each character is looked at a fixed number of times, whatever stands around it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from email_validator import EmailNotValidError, validate_email

MOST_RECIPIENTS = 5000
MOST_CHECKED = 2 * MOST_RECIPIENTS  # different entries, good or bad: about a quarter of a second; those with letters
COST = 3  # of other scripts in their domain count for more, by a third for each of its parts, since these are encoded
TEXT_LENGTH = 512 * 1024  # characters
MOST_SLIPS = 20  # of each kind; the rest are counted
ENTRY_LENGTH = 1000  # characters of a name and an address
ADDRESS_LENGTH = 320  # characters: 64, an @ and 255, by RFC 3696
SLIP_LENGTH = 100
TOO_LONG = f"That is too long for a name and an address, which have at most {ENTRY_LENGTH:,} characters."

SEPARATORS = ",;\t"
_QUOTES = " '\"`‘’‚‛“”„«»‹›"
_MAILTO = "mailto:"
# How the name of a column of addresses begins, or one of its words, without dashes.
_HEADINGS = ("email", "mail", "courriel", "correo", "メール", "recipient")

# What nobody sees and mail programs, web pages and spreadsheets leave between letters; no line break is among them.
_INVISIBLE = "".join(
    map(
        chr,
        (
            *range(9), *range(0x0E, 0x1C), 0x1F, 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0), 0xAD, 0x61C, 0x180E,
            0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF,
            0xFFF9, 0xFFFA, 0xFFFB,
        ),
    )
)  # fmt: skip
_BLANKS = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_TIDY = str.maketrans("＠＜＞，、،；؛" + _BLANKS, "@<>,,,;;" + " " * len(_BLANKS), _INVISIBLE)
# These two join letters in the domains of some scripts, and mean nothing among English ones.
_JOINERS = str.maketrans("", "", "\u200c\u200d")
_COMMAS = str.maketrans(";\t", ",,")
_NEW_LINES = str.maketrans(SEPARATORS, "\n" * len(SEPARATORS))


@dataclass(frozen=True)
class Slip:
    """Something in a line that is no new address: what was typed, and why it is not mailed to."""

    line: int
    text: str
    words: str


@dataclass
class Recipients:
    """The addresses of a text, each once, in order. Bad entries must be corrected; duplicates are left out.

    The first MOST_SLIPS of each are in `bad` and `duplicates`, the numbers count all. `unread` entries stand behind
    what was read, which ends with line `last_line`.
    """

    addresses: list[str] = field(default_factory=list)
    bad: list[Slip] = field(default_factory=list)
    duplicates: list[Slip] = field(default_factory=list)
    bad_number: int = 0
    duplicate_number: int = 0
    unread: int = 0
    last_line: int = 0


def read_recipients(text: str) -> Recipients:
    """The addresses in a text, separated by commas, semicolons, tabs and new lines, alone or as `Name <address>`.

    In a row of a table, as spreadsheets paste it, what is no address is left aside; so it is below a first line that
    names a column of addresses. An address is known again in upper and in lower case. Whether its server exists is not
    asked. Reads at most TEXT_LENGTH characters and MOST_CHECKED entries, and ends with one address more than
    MOST_RECIPIENTS; the rest is only counted.
    """
    reader, (text, rest) = _Reader(), cut(text)
    for number, _, entries in _lines(text):
        for entry in entries:
            reader.take(number, entry)
    reader.found.unread += sum(not entry.isspace() for entry in rest.translate(_NEW_LINES).splitlines() if entry)
    return reader.found


def without_bad(text: str) -> str:
    """The text without those of its entries that are no addresses; lines in which nothing is wrong stay as they are.

    What `read_recipients` would not read stays, too.
    """
    reader, kept, (text, rest) = _Reader(), [], cut(text)
    for number, line, entries in _lines(text):
        good = [entry for entry in entries if reader.take(number, entry)]
        kept += [line] if len(good) == len(entries) else [", ".join(good)] if good else []
    return "\n".join(kept) + rest


def cut(text: str) -> tuple[str, str]:
    """As much of a text as is read, and the rest; between two entries, if it has any."""
    if len(text) <= TEXT_LENGTH:
        return text, ""
    end = max(text.rfind(mark, 0, TEXT_LENGTH) for mark in f"\r\n{SEPARATORS}")
    end = end if end > 0 else TEXT_LENGTH
    return text[:end], text[end:]


def is_heading(cells: list[str]) -> bool:
    """Whether these are the names of columns, one of them that of addresses."""
    return not any("@" in cell for cell in cells) and any(names_addresses(cell) for cell in cells)


def names_addresses(cell: str) -> bool:
    """Whether a column of that name holds addresses."""
    name = cell[:ENTRY_LENGTH].strip(f"{_QUOTES}:.").lower()
    return "." not in name and any(word.startswith(_HEADINGS) for word in name.replace("-", "").split())


class _Reader:
    """Checks one entry after the other, each different one once."""

    def __init__(self) -> None:
        self.found = Recipients()
        self._left = COST * MOST_CHECKED
        self._checked: dict[str, tuple[str, str]] = {}
        self._first_lines: dict[str, int] = {}

    def take(self, line: int, entry: str) -> bool:
        """Note what an entry is; False for one that is no address."""
        found = self.found
        known = self._checked.get(entry)
        if known is None and (len(found.addresses) > MOST_RECIPIENTS or self._left <= 0):
            found.unread += 1
            return True
        if known is None:
            address = _bare(entry)
            self._left -= COST + (0 if address.isascii() else address.count("."))
            known = self._checked[entry] = _check(address) if len(entry) <= ENTRY_LENGTH else ("", TOO_LONG)
            found.last_line = line
        address, problem = known
        if problem:
            found.bad_number += 1
            _note(found.bad, line, entry, problem)
        elif first := self._first_lines.get(key := address.casefold()):
            found.duplicate_number += 1
            _note(found.duplicates, line, entry, f"It is in line {first:,} already.")
        else:
            self._first_lines[key] = line
            found.addresses.append(address)
        return not problem


def _note(slips: list[Slip], line: int, entry: str, words: str) -> None:
    if len(slips) < MOST_SLIPS:
        slips.append(Slip(line, entry[:SLIP_LENGTH], words))


def _lines(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Each line with its number and its entries, from 1 on, without what nobody sees."""
    begun = is_table = False
    for number, line in enumerate(text.translate(_TIDY).splitlines(), 1):
        entries = _split(line)
        if entries and not begun:
            begun, is_table = True, is_heading(entries)
            if is_table or ("\t" in line and not any("@" in entry for entry in entries)):
                entries = []  # the names of the columns
        if is_table or "\t" in line:
            entries = [entry for entry in entries if "@" in entry] or [", ".join(entries)] * bool(entries)
        yield number, line, entries


def _split(line: str) -> list[str]:
    """The entries of a line. In quotes, as in "Doe, Jane" <jane@example.com>, nothing parts them; a > always does."""
    if '"' not in line and ">" not in line:
        return [entry for part in line.translate(_COMMAS).split(",") for entry in _addresses(part.strip())]
    parts = _parts(line)
    if parts is None:
        return _split(line.replace('"', " "))  # a quote that never ends is none
    entries: list[str] = []
    name: list[str] = []
    for part, end in parts:
        entry = part.strip()
        if end == "," and entry and "@" not in entry:
            name.append(entry)  # as in Doe, Jane <jane@example.com>, if that is what follows
            continue
        if name and entry.endswith(">"):
            entry = ", ".join([*name, entry])
        else:
            entries += name
        name = []
        entries += _addresses(entry)
    return entries + name


def _parts(line: str) -> list[tuple[str, str]] | None:
    """The parts of a line with quotes or names, each with the comma behind it if that is what parts it from the next.

    None if a quote has no end.
    """
    quoted, begin, parts = False, 0, []
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in ",;\t>":
            parts.append((line[begin : place + (character == ">")], character if character == "," else ""))
            begin = place + 1
    return None if quoted else [*parts, (line[begin:], "")]


def _addresses(entry: str) -> list[str]:
    """An entry; or its words, if each of them is an address."""
    words = entry.split() if " " in entry and "<" not in entry else []
    return words if words and all("@" in word for word in words) else [entry] if entry else []


def _check(address: str) -> tuple[str, str]:
    """The address as it is mailed to, and an empty string; or an empty string, and what is wrong with it."""
    if len(address) > ADDRESS_LENGTH:
        return "", f"An address has at most {ADDRESS_LENGTH} characters, and that has {len(address)}."
    odd = next((character for character in address.rpartition("@")[0] if not character.isascii()), "")
    if odd:
        return "", f"Not every mail server takes “{odd}” before the @, so nothing is sent to such an address."
    try:
        checked = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        return "", str(error)
    return checked.ascii_email or checked.normalized, ""


def _bare(entry: str) -> str:
    """The address in an entry, without its name, quotes and `mailto:`."""
    _, opening, inner = entry.rpartition("<")
    address = inner[:-1] if opening and inner.endswith(">") else entry
    address = address.strip(_QUOTES)
    if address[: len(_MAILTO)].lower() == _MAILTO:
        address = address[len(_MAILTO) :].partition("?")[0].strip(_QUOTES)
    plain = address.translate(_JOINERS)
    return plain if plain.isascii() else address
