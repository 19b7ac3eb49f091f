"""Kept words: how a row keeps what people read, as a text and, unless an author wrote it, as a phrase beside it.

The text is what its owner read when it was written: it is what is searched, what the release before reads and writes,
and what is shown where the phrase is unknown.
"""

from zlib import crc32

from webapp.lib.json_types import Json
from webapp.lib.phrases import CHECKSUM, Phrase, Words


def kept(words: Words, longest: int | None = None) -> tuple[str, dict[str, Json] | None]:
    """Words as a row keeps them: the text, cut to `longest` characters, and the phrase, or None for a text.

    What had to be cut is kept as the text alone, so a phrase takes no more room than its words by much.
    """
    text = str(words)
    if isinstance(words, str) or (longest is not None and len(text) > longest):
        return text[:longest], None
    return text, words.as_json()


def kept_changing(words: Words, longest: int | None = None) -> tuple[str, dict[str, Json] | None]:
    """The same for a row whose words change: with a checksum by which the two are known to belong together.

    The release before writes another text and leaves the phrase as it is.
    """
    text, json = kept(words, longest)
    return text, json and json | {CHECKSUM: checksum(text)}


def read_words(text: str, json: Json) -> Words:
    """What a row keeps, to be a part of another phrase or to be kept elsewhere: the phrase, or else the text.

    The text, too, where the phrase is that of another text, or of a release that knows more.
    """
    found = _phrase_of(text, json)
    return text if found is None or _spelled(found, "") is None else found


def put_into_words(text: str, json: Json, owner: str = "") -> str:
    """What a row keeps, as its owner reads it; as others do where that owner's name is given."""
    found = _phrase_of(text, json)
    said = _spelled(found, owner) if found else None
    return text if said is None else said


def checksum(text: str) -> int:
    """By which a text is told from others."""
    return crc32(text.encode(errors="surrogatepass"))


def _phrase_of(text: str, json: Json) -> Phrase | None:
    if not text or not isinstance(json, dict) or json.get(CHECKSUM) not in (None, checksum(text)):
        return None
    try:
        return Phrase.from_json(json)
    except KeyError:  # no phrase: of a later release
        return None


def _spelled(phrase: Phrase, owner: str) -> str | None:
    try:
        return phrase.spelled(owner)
    except (LookupError, TypeError, ValueError):  # of a later release, too
        return None
