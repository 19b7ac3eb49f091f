"""Stored words: what a row keeps for people to read, as a text and, unless an author wrote it, as a phrase beside it.

The text is what the owner reads: it is searched, and the release before shows it. It may have been written by that
release alone, which leaves an older phrase beside it, and a phrase may be of a task that is gone, so that nobody knows
its words. So a phrase counts while it reads as its text does, and otherwise the text does.
"""

from collections.abc import Mapping
from typing import TypeAlias

from webapp.lib.phrases import Json, Phrase

Words: TypeAlias = str | Phrase


def stored(words: Words, longest: int | None = None) -> tuple[str, dict[str, Json] | None]:
    """A text of at most so many characters, and the phrase; None for an author's text, and for one that had to be cut.

    So nothing in a row grows beyond the text that its page shows.
    """
    text = str(words)
    fits = longest is None or len(text) <= longest
    return text[:longest], words.as_json() if isinstance(words, Phrase) and fits else None


def kept(column: str, words: Words, longest: int | None = None) -> dict[str, object]:
    """The same by the names of the columns: `column` and `column_phrase`."""
    text, phrase = stored(words, longest)
    return {column: text, f"{column}_phrase": phrase}


def words_of(text: str, phrase: Mapping[str, Json] | None) -> Words:
    """What was stored, to be put into other words or to be shown to somebody else."""
    if not phrase or not text:
        return text
    read = Phrase.from_json(phrase)
    return read if str(read) == text else text
