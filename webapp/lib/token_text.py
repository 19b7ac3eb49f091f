"""The text of an API token: `errand_pat_`, 30 random characters, and a checksum of these in 6.

It is GitHub's shape: whoever scans for leaked secrets finds the prefix, a double click selects all of it, and a text
that was cut off or made up is known without a look at the database.
"""

import re
import secrets
import string
from typing import Final
from zlib import crc32

PREFIX: Final = "errand_pat_"
LETTERS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM: Final = 30  # letters: 178 bits
CHECK: Final = 6  # letters: CRC32 in base 62
MASK: Final = f"{PREFIX}…"
_ANY: Final = re.compile(rf"{PREFIX}[A-Za-z0-9]+")


def new_text() -> str:
    """The text of a new token, which nobody can guess."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(RANDOM))
    return f"{PREFIX}{drawn}{_checksum(drawn)}"


def is_text(text: str) -> bool:
    """Whether it may be the text of a token: its shape and checksum are right."""
    if len(text) != len(PREFIX) + RANDOM + CHECK or not _ANY.fullmatch(text):
        return False
    return text[-CHECK:] == _checksum(text[len(PREFIX) : -CHECK])


def without_tokens(text: str) -> str:
    """A text in which nobody can read a token, nor the beginning of one; costs next to nothing where there is none."""
    return _ANY.sub(MASK, text) if PREFIX in text else text


def _checksum(drawn: str) -> str:
    rest, digits = crc32(drawn.encode()), ""
    for _ in range(CHECK):
        rest, digit = divmod(rest, len(LETTERS))
        digits = LETTERS[digit] + digits
    return digits
