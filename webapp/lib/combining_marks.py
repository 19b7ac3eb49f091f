"""Marks: accents and the like, of which a letter has a few and a text that is meant to harm has a million."""

import re
import sys
from functools import cache
from unicodedata import combining

MOST_MARKS = 30  # on one letter: Unicode's stream-safe text has no more (https://www.unicode.org/reports/tr15/)


def stream_safe(text: str) -> str:
    """The text without those marks on a letter that come after MOST_MARKS: no language has so many.

    To be called before `unicodedata.normalize`, which puts marks in order by comparing each with those before it, and
    so takes an hour for a megabyte of them.
    """
    return text if text.isascii() else _surplus().sub(r"\1", text)


@cache
def _surplus() -> re.Pattern[str]:
    marks = "".join(character for character in map(chr, range(0x300, sys.maxunicode + 1)) if combining(character))
    return re.compile(rf"([{marks}]{{{MOST_MARKS}}})[{marks}]+")
