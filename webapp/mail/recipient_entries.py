"""Splits what people type or paste into lines and entries: one of a name and an address each, or what stands for one.

No pattern sees what was typed: each character is looked at a fixed number of times, whatever stands around it.

By hand, and not by `email.utils.getaddresses`, which is for headers that programs wrote, and was measured with what
people paste (Python 3.11.7): `Doe, Ann <ann@example.com>` is two people there and here one, `a@b.example c@d.example`
is `@d.example` and here both, `"5'10 <ann@example.com>` loses the address, `<mailto:ann@example.com?subject=Hello>`,
quotes within the brackets and tabs of a spreadsheet break it, brackets end in a RecursionError, an address without its
`>` passes, and what is no address comes without the line in which it stands and without what was typed.
"""

from collections.abc import Iterator

ENTRY_LENGTH = 1000  # characters of a name and an address

SEPARATORS = ",;\t"
QUOTES = " '\"`‘’‚‛“”„«»‹›"
# How the name of a column of addresses begins, or one of its words, without dashes.
_HEADINGS = ("email", "mail", "courriel", "correo", "メール", "recipient")

# What nobody sees and mail programs, web pages and spreadsheets leave between letters; no line break is among them.
# By code points, in hexadecimal.
_UNSEEN = "0-8 E-1B 1F 7F 80-84 86-9F AD 61C 180E 200B 200E-200F 202A-202E 2060-206F FE00-FE0F FEFF FFF9-FFFB"
_RANGES = [(first, last or first) for first, _, last in (part.partition("-") for part in _UNSEEN.split())]
_INVISIBLE = "".join(chr(code) for first, last in _RANGES for code in range(int(first, 16), int(last, 16) + 1))
_BLANKS = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_TIDY = str.maketrans("＠＜＞，、،；؛" + _BLANKS, "@<>,,,;;" + " " * len(_BLANKS), _INVISIBLE)
_COMMAS = str.maketrans(";\t", ",,")
NEW_LINES = str.maketrans(SEPARATORS, "\n" * len(SEPARATORS))


def is_heading(cells: list[str]) -> bool:
    """Whether these are the names of columns, one of them that of addresses."""
    return not any("@" in cell for cell in cells) and any(names_addresses(cell) for cell in cells)


def names_addresses(cell: str) -> bool:
    """Whether a column of that name holds addresses."""
    name = cell[:ENTRY_LENGTH].strip(f"{QUOTES}:.").lower()
    return "." not in name and any(word.startswith(_HEADINGS) for word in name.replace("-", "").split())


def lines_of(text: str) -> Iterator[tuple[int, str, list[str]]]:
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
