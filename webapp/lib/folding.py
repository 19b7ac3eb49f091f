"""Folding: a text as it is compared, and the terms by which it is found, the same for every database.

`fold` makes alike what people take for the same: compatibility forms (full-width letters, ligatures, `½`), case,
accents, the points of Hebrew and Arabic, the Greek final sigma, `ё` and `е`. What is a letter of its own stays one: `й`
is not `и`, nor is `ї` `і`, and the voiced `が` is not `か`.

`terms_of` says what of a text goes into an index, `sought` what a query asks of it. A term is a word; two neighbors
in a script that is written without spaces, or that glues endings to words, as Korean does; a sign such as `👋`, or two
neighboring ones; or a word with the sign that belongs to it, as in `#tag` and `C++`.

All of it is linear in the text. It is no library's: the databases fold and part words each in a way of its own, and
what transliterates, such as Unidecode, makes `й` and `и` one letter and of each Han character a syllable.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, repeat
from unicodedata import category, normalize

from webapp.lib.combining_marks import stream_safe

WORD_LENGTH = 40  # characters of a word that count
QUERY_LENGTH = 200  # characters; what comes after them is not looked for
MOST_SOUGHT = 32  # terms of a query that count; more would cost time and hardly narrow anything

_SIGN = 0xF0000  # signs stand here in terms, since no database has an opinion on private characters
_SIGNS = "\U000f0000-\U0010ffff"
# Thai to Myanmar, Hangul, Khmer, kana, bopomofo, Han: the runs that no space parts into words.
_DENSE = (
    "\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u303c"
    "\u3041-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER = f"[^ {_SIGNS}{_DENSE}]"
_RUN = re.compile(f"(?P<signs>[{_SIGNS}]+)|(?P<dense>[{_DENSE}]+)|(?P<word>{_LETTER}+)")
_BEFORE = "".join(chr(_SIGN + ord(sign)) for sign in "#@$€£")  # as in #tag
_AFTER = "".join(chr(_SIGN + ord(sign)) for sign in "+#%")  # as in C++
_WORD, _DENSE_RUN, _SIGN_RUN = (re.compile(f"{kind}+") for kind in (_LETTER, f"[{_DENSE}]", f"[{_SIGNS}]"))
_TAGGED = re.compile(f"[{_BEFORE}](?:{_LETTER}+|[{_DENSE}])")
_SUFFIXED = re.compile(f"(?<!{_LETTER})({_LETTER}++)([{_AFTER}]{{1,3}})")  # tried once a word: linear

# What stands on or between characters without changing how people type them.
_MARKS = (
    "\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u180b-\u180e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e0fff"
)
_MARK = re.compile(f"[{_MARKS}]+")
_CYRILLIC = re.compile("([\u0400-\u04ff])([\u0300-\u036f])")
_FRACTION = re.compile("[\u00bc-\u00be\u2150-\u215f\u2189]")
_FRACTION_SLASH = "\u2044"
# Letters that Unicode does not take apart, and that people type without their stroke.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})
# A character with what stands on it, which is folded by itself when one must know where in the text it was.
_CLUSTER = re.compile(f".[{_MARKS}\u1160-\u11ff\u3099\u309a]*", re.DOTALL)


@dataclass(frozen=True)
class Term:
    """Something that a text must have: this very term, or one that begins with it."""

    text: str
    is_beginning: bool


def fold(text: str) -> str:
    """The text as it is compared. To fold it again changes nothing."""
    if text.isascii():
        return text.lower()
    text = normalize("NFKD", _FRACTION.sub(r" \g<0> ", stream_safe(text)))  # 2½ is no 21/2
    text = _MARK.sub("", _CYRILLIC.sub(_letter, text))
    return normalize("NFC", text.casefold().translate(_PLAIN))


def terms_of(text: str) -> str:
    """What an index has of a text: its terms, each once, with a space between."""
    return " ".join(dict.fromkeys(_every_term(_signed(fold(text)))))


def sought(text: str) -> list[Term]:
    """What a query asks for, at most MOST_SOUGHT terms; empty if nothing in it can be found.

    A word finds those that begin with it, if it has more than one letter. Next to words only pictures count as signs,
    and those that belong to a word: who writes "(and" or "sure?" means the word.
    """
    signed = _signed(fold(text[:QUERY_LENGTH]))
    found = list(_RUN.finditer(signed))
    only_signs = all(run["signs"] for run in found)
    return list(dict.fromkeys(term for run in found for term in _asked(run, only_signs)))[:MOST_SOUGHT]


def places(text: str, query: str) -> list[tuple[int, int]]:
    """Where in a text that is which a query asks for: beginnings and ends, in order. Words are there as a whole."""
    runs = list(_RUN.finditer(_signed(fold(query[:QUERY_LENGTH]))))
    only_signs = all(run["signs"] for run in runs)
    if not (patterns := {_pattern(run) for run in runs if only_signs or not run["signs"]}):
        return []
    folded, origin = _aligned(text)
    pattern = "|".join(sorted(patterns, key=len, reverse=True))
    return [(origin[place.start()][0], origin[place.end() - 1][1]) for place in re.finditer(pattern, _signed(folded))]


class _Signed(dict[int, int]):
    """What stands in terms for each character: itself if words are made of it, a private one for a sign, or a space."""

    def __missing__(self, code: int) -> int:
        kind = category(chr(code))
        if kind[0] not in "LNMPS" or (kind[0] in "PS" and code + _SIGN > 0x10FFFF):
            return ord(" ")  # not kept, as there are a million of them
        self[code] = code + _SIGN if kind[0] in "PS" else code
        return self[code]


_SIGNED = _Signed({ord(_FRACTION_SLASH): ord(_FRACTION_SLASH)})


def _signed(folded: str) -> str:
    return folded.translate(_SIGNED)


def _letter(found: re.Match[str]) -> str:
    """A Cyrillic letter with its mark, without it where it says only how the letter is spoken."""
    letter, mark = found.groups()
    is_stress = mark in "\u0300\u0301" and letter not in "гкГК"
    is_yo = mark == "\u0308" and letter in "еЕ"
    return letter if is_stress or is_yo else normalize("NFC", found[0])


def _every_term(signed: str) -> Iterator[str]:
    """By one pass for each kind, since for every text that is written this is done once."""
    yield from (word[:WORD_LENGTH] for word in _WORD.findall(signed))
    for word in _TAGGED.findall(signed):
        yield word[: WORD_LENGTH + 1] if _WORD.match(word[1]) else word[:2]
    for word, after in _SUFFIXED.findall(signed):
        yield word[:WORD_LENGTH] + after
    for run in _DENSE_RUN.findall(signed):
        yield run[-1]  # all others are found as the beginnings of pairs
        yield from map("".join, pairwise(run))
    for run in _SIGN_RUN.findall(signed):
        yield from run
        yield from map("".join, pairwise(run))


def _asked(run: re.Match[str], only_signs: bool) -> Iterator[Term]:
    before, after = _beside(run)
    if run["word"]:
        word = run[0][:WORD_LENGTH]
        yield from (Term(before + word, True),) if before else ()
        yield from (Term(word + after, True),) if after else ()
        yield from (Term(word, len(word) > 1),) if not before + after else ()
    elif run["dense"] or only_signs:
        yield from (Term(before + run[0][0], False),) if before else ()
        yield from map(Term, map("".join, pairwise(run[0])), repeat(False))
        yield from (Term(run[0], run["dense"] is not None),) if len(run[0]) == 1 else ()
    else:
        yield from (Term(sign, False) for sign in run[0] if _is_picture(sign))


def _pattern(run: re.Match[str]) -> str:
    before, after = _beside(run)
    text = re.escape(run[0][:WORD_LENGTH])
    if not run["word"]:
        return before + text if run["dense"] else text
    rest = f"{_LETTER}*" if len(run[0]) > 1 or before else f"(?!{_LETTER})"
    return f"{before or f'(?<!{_LETTER})'}{text}{after or rest}"


def _beside(run: re.Match[str]) -> tuple[str, str]:
    """The sign before a run that belongs to it, and the signs after it; empty where there are none."""
    signed, start = run.string, run.start()
    before = signed[start - 1] if start and signed[start - 1] in _BEFORE and not run["signs"] else ""
    found = _SUFFIXED.match(signed, start) if run["word"] else None
    return before, found[2] if found else ""


def _is_picture(sign: str) -> bool:
    return category(chr(ord(sign) - _SIGN)) == "So"


def _aligned(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The folded text, and for each character of that where in the text what it was made of begins and ends."""
    if text.isascii():
        return fold(text), [(place, place + 1) for place in range(len(text))]
    folded, origin = [], list[tuple[int, int]]()
    for cluster in _CLUSTER.finditer(text):
        part = _folded(cluster[0]) if len(cluster[0]) < 4 else fold(cluster[0])
        folded.append(part)
        origin += [cluster.span()] * len(part)
    return "".join(folded), origin


_folded = lru_cache(4096)(fold)
