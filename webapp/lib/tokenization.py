"""Tokenization: the terms by which a text is found, and those that a query asks for, the same on every database.

A term is a word; two neighbors in a script that is written without spaces, or that joins endings to words, as Korean
does; a sign such as `👋`, or two neighboring ones; or a word with a sign that belongs to it, as in `#tag` and `C++`.
All of them are folded. `terms_of` makes the terms that an index has, `query_terms` those of a query.

It is linear in the text. No library does this: the databases split texts into words each in a way of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, repeat
from unicodedata import category

from webapp.lib.folding import fold, fold_aligned

WORD_LENGTH = 40  # characters of a word that count
QUERY_LENGTH = 200  # characters; the rest of a query is ignored
MAX_QUERY_TERMS = 32  # terms of a query that count; more would cost time and hardly narrow anything

_SIGN = 0xF0000  # in terms, signs are private code points, which every database leaves alone
_SIGNS = "\U000f0000-\U0010ffff"
# Thai to Myanmar, Hangul, Khmer, kana, bopomofo, Han: scripts without a space between words.
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

_FRACTION_SLASH = "\u2044"


@dataclass(frozen=True)
class Term:
    """A term that a text must have, or the prefix of one."""

    text: str
    is_prefix: bool


def terms_of(text: str) -> str:
    """The terms of a text, each once, with a space between: the text that an index holds."""
    return " ".join(dict.fromkeys(_every_term(_signed(fold(text)))))


def query_terms(text: str) -> list[Term]:
    """The terms that a query asks for, at most MAX_QUERY_TERMS; empty if nothing in it can be found.

    A word of more than one letter is a prefix. Beside words, only pictures count as signs, and signs that belong to a
    word: "(and" and "sure?" mean the word.
    """
    signed = _signed(fold(text[:QUERY_LENGTH]))
    found = list(_RUN.finditer(signed))
    only_signs = all(run["signs"] for run in found)
    return list(dict.fromkeys(term for run in found for term in _asked(run, only_signs)))[:MAX_QUERY_TERMS]


def places(text: str, query: str) -> list[tuple[int, int]]:
    """Where a text matches a query: beginnings and ends, in order, of whole words."""
    runs = list(_RUN.finditer(_signed(fold(query[:QUERY_LENGTH]))))
    only_signs = all(run["signs"] for run in runs)
    if not (patterns := {_pattern(run) for run in runs if only_signs or not run["signs"]}):
        return []
    folded, origin = fold_aligned(text)
    pattern = "|".join(sorted(patterns, key=len, reverse=True))
    return [(origin[place.start()][0], origin[place.end() - 1][1]) for place in re.finditer(pattern, _signed(folded))]


class _Signed(dict[int, int]):
    """The code point in terms for each one in a text: itself in words, a private one for a sign, otherwise a space."""

    def __missing__(self, code: int) -> int:
        kind = category(chr(code))
        if kind[0] not in "LNMPS" or (kind[0] in "PS" and code + _SIGN > 0x10FFFF):
            return ord(" ")  # not cached: there are a million of them
        self[code] = code + _SIGN if kind[0] in "PS" else code
        return self[code]


_SIGNED = _Signed({ord(_FRACTION_SLASH): ord(_FRACTION_SLASH)})


def _signed(folded: str) -> str:
    return folded.translate(_SIGNED)


def _every_term(signed: str) -> Iterator[str]:
    """The terms of a text, by one pass for each kind: faster than one run at a time, and every text is indexed."""
    if signed.isascii():  # words alone: signs are private code points here
        yield from (word[:WORD_LENGTH] for word in signed.split())
        return
    yield from (word[:WORD_LENGTH] for word in _WORD.findall(signed))
    for word in _TAGGED.findall(signed):
        yield word[: WORD_LENGTH + 1] if _WORD.match(word[1]) else word[:2]
    for word, after in _SUFFIXED.findall(signed):
        yield word[:WORD_LENGTH] + after
    for run in _DENSE_RUN.findall(signed):
        yield run[-1]  # the others are found as prefixes of pairs
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
    """The sign before a run that belongs to it, and the signs after it, or ""."""
    signed, start = run.string, run.start()
    before = signed[start - 1] if start and signed[start - 1] in _BEFORE and not run["signs"] else ""
    found = _SUFFIXED.match(signed, start) if run["word"] else None
    return before, found[2] if found else ""


def _is_picture(sign: str) -> bool:
    return category(chr(ord(sign) - _SIGN)) == "So"
