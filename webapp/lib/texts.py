"""What people type, as they mean it: cleaned, normalized, and whether there is anything in it at all."""

import unicodedata

from webapp.lib.combining_marks import stream_safe

# Seen as nothing, though Unicode counts them as letters, symbols or marks (Default_Ignorable_Code_Point of UAX #44, and
# the Braille pattern without dots).
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


def clean(text: str | None) -> str | None:
    """Text as people mean it: a line break is one character, though browsers send two, and a NUL is none at all.

    Of what is blank nothing is left.
    """
    if text is None:
        return None
    return "" if is_blank(text) else text.replace("\r\n", "\n").replace("\0", "").strip()


def is_blank(text: str | None) -> bool:
    """Whether a reader would see nothing: no character but spaces, controls, and those that have no shape."""
    return not any(unicodedata.category(c)[0] not in "ZC" and c not in _INVISIBLE for c in text or "")


def compatible(text: str) -> str:
    """The same text however it was typed: NFKC, in which é is one character and a full-width Ａ is an A."""
    return unicodedata.normalize("NFKC", stream_safe(text))
