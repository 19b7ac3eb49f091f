"""Marked text: the text of a mail in which a few characters near its end differ from person to person.

Nearly all of it is encoded once. Only its end, from the line with the mark on, is encoded for each: some 10 µs for the
foot of a letter, whatever comes before it.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

LINK_MARK = "https://unsubscribe.invalid/"  # stands for each recipient's link in what is the same for all
BASE64_LINE = 57  # bytes, which make a line of 76 characters


@dataclass(frozen=True)
class MarkedEnd:
    """The end of a text, from the line on in which the mark stood: what comes before it there, and all behind it."""

    before: bytes
    behind: bytes
    encode: Callable[[bytes], bytes]

    def filled(self, words: bytes) -> bytes:
        """This end with these in place of the mark, encoded."""
        return self.encode(self.before + words + self.behind)


Piece: TypeAlias = bytes | MarkedEnd


def filled(text: str, mark: str, words: str) -> str:
    """A text with these words in place of its last mark; the text itself where it has none."""
    before, found, behind = text.rpartition(mark)
    return before + words + behind if found else text


def encode_around(text: bytes, mark: bytes, encoding: str) -> list[Piece]:
    """A text in UTF-8 with its last mark, as pieces that together are its body in one of these encodings.

    `encoding` is quoted-printable or base64, by the name of its Content-Transfer-Encoding.
    """
    lines = b"\r\n".join(text.splitlines())
    before, _, behind = lines.rpartition(mark)
    if encoding == "base64":
        cut = len(before) - len(before) % BASE64_LINE
        encode = _base64
    else:
        cut = before.rfind(b"\n") + 1
        encode = _quoted_printable
    begin = encode(before[:cut]) + (b"\r\n" if encoding == "base64" and cut else b"")
    return [begin, MarkedEnd(before[cut:], behind, encode)]


def _quoted_printable(text: bytes) -> bytes:
    """Lines of at most 76 characters; a line break at the end stays."""
    return binascii.b2a_qp(text, istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _base64(text: bytes) -> bytes:
    return base64.encodebytes(text).rstrip(b"\n").replace(b"\n", b"\r\n")
