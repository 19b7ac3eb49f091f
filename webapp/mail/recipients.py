"""Recipients: the addresses in what people type or paste, with what is wrong, line by line."""

from dataclasses import dataclass, field

from webapp.lib.i18n import number
from webapp.mail.addresses import bare_address, check_address
from webapp.mail.recipient_entries import ENTRY_LENGTH, NEW_LINES, SEPARATORS, lines_of

MOST_RECIPIENTS = 5000
MOST_CHECKED = 2 * MOST_RECIPIENTS  # different entries, good or bad: about a quarter of a second; those with letters
COST = 3  # of other scripts in their domain count for more, by a third for each of its parts, since these are encoded
TEXT_LENGTH = 512 * 1024  # characters
MOST_REJECTED = 20  # of each kind; the rest are counted
SHOWN_LENGTH = 100  # characters of what was typed
TOO_LONG = f"Too long: a name and address can have up to {number(ENTRY_LENGTH)} characters."


@dataclass(frozen=True)
class RejectedRecipient:
    """Something in a line that is no new address: what was typed, and why it is not mailed to."""

    line: int
    text: str
    reason: str


@dataclass
class Recipients:
    """The addresses of a text, each once, in order. Bad entries must be corrected; duplicates are left out.

    The first MOST_REJECTED of each are in `invalid` and `duplicates`, the counts are of all. `unread` entries stand
    behind what was read, which ends with line `last_line`.
    """

    addresses: list[str] = field(default_factory=list)
    invalid: list[RejectedRecipient] = field(default_factory=list)
    duplicates: list[RejectedRecipient] = field(default_factory=list)
    invalid_count: int = 0
    duplicate_count: int = 0
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
    for line_number, _, entries in lines_of(text):
        for entry in entries:
            reader.take(line_number, entry)
    reader.found.unread += sum(not entry.isspace() for entry in rest.translate(NEW_LINES).splitlines() if entry)
    return reader.found


def without_invalid(text: str) -> str:
    """The text without those of its entries that are no addresses; lines in which nothing is wrong stay as they are.

    What `read_recipients` would not read stays, too.
    """
    reader, kept, (text, rest) = _Reader(), [], cut(text)
    for line_number, line, entries in lines_of(text):
        good = [entry for entry in entries if reader.take(line_number, entry)]
        kept += [line] if len(good) == len(entries) else [", ".join(good)] if good else []
    return "\n".join(kept) + rest


def cut(text: str) -> tuple[str, str]:
    """As much of a text as is read, and the rest; between two entries, if it has any."""
    if len(text) <= TEXT_LENGTH:
        return text, ""
    end = max(text.rfind(mark, 0, TEXT_LENGTH) for mark in f"\r\n{SEPARATORS}")
    end = end if end > 0 else TEXT_LENGTH
    return text[:end], text[end:]


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
            address = bare_address(entry)
            self._left -= COST + (0 if address.isascii() else address.count("."))
            known = self._checked[entry] = check_address(address) if len(entry) <= ENTRY_LENGTH else ("", TOO_LONG)
            found.last_line = line
        address, problem = known
        if problem:
            found.invalid_count += 1
            _note(found.invalid, line, entry, problem)
        elif first := self._first_lines.get(key := address.casefold()):
            found.duplicate_count += 1
            _note(found.duplicates, line, entry, f"Duplicate of line {number(first)}.")
        else:
            self._first_lines[key] = line
            found.addresses.append(address)
        return not problem


def _note(rejected: list[RejectedRecipient], line: int, entry: str, reason: str) -> None:
    if len(rejected) < MOST_REJECTED:
        rejected.append(RejectedRecipient(line, entry[:SHOWN_LENGTH], reason))
