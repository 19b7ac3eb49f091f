"""Error shapes: what failures of one cause have in common, without what differs between them or is anybody's.

A message that code of ours has raised keeps only the words that stand in that code; one of a library or of the database
loses what is quoted, every word with a digit, addresses and paths. So numbers, ids, names and what people typed make no
difference, and are not kept. The place is a file and a function without a line: it is the same in the next release.

All of it is bounded, however long a message is, and takes time in proportion to that bound.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dis import opmap
from hashlib import blake2b
from traceback import walk_tb
from types import FrameType, TracebackType

from webapp.lib import logs
from webapp.lib.error_description import OURS, causes_of, name_of, path_of
from webapp.lib.error_text import traceback_of
from webapp.lib.phrases import WORDINGS, Phrase, Words

LOOKED_AT = 1000  # characters of a message
LONGEST = 200  # characters of a shape
LEFT_OUT = "…"
PLUMBING = ("webapp/db/", "webapp/lib/", "tasks/engine/")  # through which everything comes: it tells nothing apart

# What has no end is quoted to the end: it was cut off.
_QUOTED = re.compile(
    r"""(?:(?<!\w)|\bb)'.*?(?:'(?!\w)|$)|"[^"]*(?:"|$)|“[^”]*(?:”|$)|«[^»]*»|`[^`]*`|=\([^)]*(?:\)|$)"""
)
_ARGUMENT = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"\w+")
_AROUND = "()[]{}<>.,;:!?"
_GIVES_AWAY = frozenset("@/\\=%&")
_RAISES = opmap["RAISE_VARARGS"]


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """What is told of a failure: the type of its exception, where it was raised, and its message without values.

    The `traceback` is text of our programs, without values. A `key` stands for the message where that has a name of its
    own. Type and place are empty where it was no exception that made it fail.
    """

    type: str = ""
    place: str = ""
    message: str = ""
    traceback: str = ""
    key: str = ""

    def fingerprint(self, kind: str) -> str:
        """What failures of this kind and of this shape have in common: 16 hexadecimal digits."""
        parts = kind, self.type, self.place, self.key or self.message
        return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def shape_of(error: BaseException, words: Words | None = None) -> ErrorShape:
    """The shape of an exception; `words` are its message where it has been raised with such. About 0.2 ms."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    message, key = _phrase(words) if isinstance(words, Phrase) else (_message(error, frames), "")
    return ErrorShape(_fit(name_of(error)), _place(frames), message, traceback_of(causes_of(error)), key)


def shape_of_words(words: Words, error: BaseException | None = None) -> ErrorShape:
    """The shape of a failure that was put into these words, whatever exception came with it."""
    message, key = _phrase(words) if isinstance(words, Phrase) else (without_values(words), "")
    return ErrorShape(message=message, key=key, traceback=traceback_of(causes_of(error)) if error else "")


def without_values(text: str, known: frozenset[str] | None = None) -> str:
    """The first line of a message without what differs each time; if words are `known`, with no others."""
    line = _QUOTED.sub(LEFT_OUT, text[:LOOKED_AT].strip().partition("\n")[0])
    return _fit(" ".join(_once(_kept(word, known) for word in line.split())))


def _fit(text: str) -> str:
    """A text that can be stored, on one line, cut to LONGEST."""
    return logs.clean(text, LONGEST)[:LONGEST]


def _kept(word: str, known: frozenset[str] | None) -> str:
    """A word as it stands, or what takes its place, with the punctuation around it."""
    bare = word.strip(_AROUND)
    tells = any(each.isdigit() or each in _GIVES_AWAY for each in bare)
    if bare and (tells or (known is not None and not known.issuperset(_WORD.findall(bare)))):
        return word.replace(bare, LEFT_OUT, 1)
    return word


def _once(words: Iterable[str]) -> Iterator[str]:
    """Words of which several in a row that were left out are one."""
    before = ""
    for word in words:
        if word != LEFT_OUT or before != LEFT_OUT:
            yield word
        before = word


def _phrase(words: Phrase) -> tuple[str, str]:
    """The words of a phrase without its arguments, and its id."""
    wording = WORDINGS.get(words.id)
    return _fit(_ARGUMENT.sub(LEFT_OUT, wording.owner) if wording else words.id), words.id


def _message(error: BaseException, frames: list[FrameType]) -> str:
    try:
        text = str(error)
    except Exception:
        return "(its message can’t be read)"
    is_ours = bool(frames) and path_of(frames[-1]).startswith(OURS) and _raises(error.__traceback__)
    return without_values(text, _words_in(frames[-1]) if is_ours else None)


def _raises(traceback: TracebackType | None) -> bool:
    """Whether the innermost frame has raised it itself, and not what it called, in C."""
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_code[traceback.tb_lasti] == _RAISES


def _words_in(frame: FrameType) -> frozenset[str]:
    """The words of all texts in a function, and of those of its module that it names."""
    code, names = frame.f_code, frame.f_globals
    texts = [*code.co_consts, *(names.get(name) for name in code.co_names)]
    return frozenset(word for text in texts if isinstance(text, str) for word in _WORD.findall(text))


def _place(frames: list[FrameType]) -> str:
    """The innermost function of ours; one of the plumbing, or of a library, only where there is no other."""
    places = [(path_of(frame), frame.f_code.co_qualname) for frame in frames]
    ours = [place for place in places if place[0].startswith(OURS)]
    telling = [place for place in ours if not place[0].startswith(PLUMBING)]
    found = telling or ours or places
    return _fit(":".join(found[-1])) if found else ""
