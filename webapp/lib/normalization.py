"""Normalization: typed text as people mean it, with one spelling of what looks the same, and in linear time."""

import re
import sys
import unicodedata
from functools import cache

MAX_MARKS = 30  # on one letter: Unicode's stream-safe text has no more (https://www.unicode.org/reports/tr15/)
# Code points without a visible shape, though Unicode counts them as letters, symbols or marks
# (Default_Ignorable_Code_Point of UAX #44, and the Braille pattern without dots).
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


def clean(text: str | None) -> str | None:
    """The text without NULs and surrounding spaces, each line break as one character, though browsers send two.

    Blank text becomes "".
    """
    if text is None:
        return None
    return "" if is_blank(text) else text.replace("\r\n", "\n").replace("\0", "").strip()


def is_blank(text: str | None) -> bool:
    """Whether a reader would see nothing: only spaces, control characters, and code points without a shape."""
    if text and text[0].isascii() and text[0].isalnum():  # as most texts begin
        return False
    return not any(unicodedata.category(c)[0] not in "ZC" and c not in _INVISIBLE for c in text or "")


def compatible(text: str) -> str:
    """The same text however it was typed: NFKC, in which é is one code point and a full-width Ａ is an A."""
    return unicodedata.normalize("NFKC", stream_safe(text))


def stream_safe(text: str) -> str:
    """The text without the combining marks on a letter beyond MAX_MARKS: no language has so many.

    Call it before `unicodedata.normalize`, which sorts marks by comparing each with those before it, and would take an
    hour for a megabyte of them.
    """
    return text if text.isascii() else _surplus().sub(r"\1", text)


@cache
def _surplus() -> re.Pattern[str]:
    marks = "".join(c for c in map(chr, range(0x300, sys.maxunicode + 1)) if unicodedata.combining(c))
    return re.compile(rf"([{marks}]{{{MAX_MARKS}}})[{marks}]+")
