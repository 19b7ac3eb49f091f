"""Folding: one spelling of texts that people take for the same, so that a search finds them, on every database.

`fold` makes alike compatibility forms (full-width letters, ligatures, `½`), case, accents, the points of Hebrew and
Arabic, the Greek final sigma, `ё` and `е`. A letter of its own stays one: `й` is not `и`, nor is `ї` `і`, and the
voiced `が` is not `か`.

It is linear in the text. No library does this: the databases fold each in a way of its own, and transliteration, such
as Unidecode's, makes `й` and `и` one letter, and of each Han character a syllable.
"""

import re
from functools import lru_cache
from unicodedata import normalize

from webapp.lib.normalization import stream_safe

# Code points on or between letters that people leave out when they type.
_MARKS = (
    "\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u180b-\u180e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e0fff"
)
_MARK = re.compile(f"[{_MARKS}]+")
_CYRILLIC = re.compile("([\u0400-\u04ff])([\u0300-\u036f])")
_FRACTION = re.compile("[\u00bc-\u00be\u2150-\u215f\u2189]")
# Letters that Unicode does not decompose, and that people type without their stroke.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})
# A character with its marks: folded by itself, it is known where in the text each folded one comes from.
_CLUSTER = re.compile(f".[{_MARKS}\u1160-\u11ff\u3099\u309a]*", re.DOTALL)


def fold(text: str) -> str:
    """The text as it is compared. Folding it again changes nothing."""
    if text.isascii():
        return text.lower()
    text = normalize("NFKD", _FRACTION.sub(r" \g<0> ", stream_safe(text)))  # 2½ must not become 21/2
    text = _MARK.sub("", _CYRILLIC.sub(_letter, text))
    return normalize("NFC", text.casefold().translate(_PLAIN))


def _letter(found: re.Match[str]) -> str:
    """A Cyrillic letter with its mark, or without it if the mark only tells the pronunciation."""
    letter, mark = found.groups()
    is_stress = mark in "\u0300\u0301" and letter not in "гкГК"
    is_yo = mark == "\u0308" and letter in "еЕ"
    return letter if is_stress or is_yo else normalize("NFC", found[0])


def fold_aligned(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The folded text, and for each of its characters the beginning and end of what it was made of in the text."""
    if text.isascii():
        return fold(text), [(place, place + 1) for place in range(len(text))]
    folded, origin = [], list[tuple[int, int]]()
    for cluster in _CLUSTER.finditer(text):
        part = _folded(cluster[0]) if len(cluster[0]) < 4 else fold(cluster[0])
        folded.append(part)
        origin += [cluster.span()] * len(part)
    return "".join(folded), origin


_folded = lru_cache(4096)(fold)
