"""Language detection: the language of a text that people wrote, where its letters alone tell.

A page is in English, and a screen reader would read everything on it with an English voice, so each user's text is
marked with its language. Some scripts are used by one language almost alone; in a shared script, letters that only one
of its languages has tell it. Words are not used to guess: Latin letters may be any of hundreds of languages. The answer
is then "", which in HTML means unknown: a screen reader uses its user's voice, or detects the language itself. A tag
such as und-Cyrl would say more, but screen readers do not know it. In Chinese, Japanese and Korean, the language also
decides how shared characters are drawn.

Libraries detect languages by statistics, and are often wrong about a few words.
"""

import re
from collections.abc import Callable

MAX_READ = 500  # characters: the beginning of a text is enough

_LETTER = re.compile(r"[^\W\d_]")
# Shared scripts: letters that only some of their languages have.
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA = r"\u3041-\u30ff\uff66-\uff9d"
_RUSSIAN = re.compile(r"[ыэё]", re.IGNORECASE)
_NOT_RUSSIAN = re.compile(r"[^\u0410-\u044fёЁ]")
_UKRAINIAN = re.compile(r"[їєґ]", re.IGNORECASE)
_ARABIC = re.compile(r"[\u0629\u0643\u0649\u064a\u0623\u0625]")  # only Arabic has these
_NOT_ARABIC = re.compile(r"[\u0671-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f]")  # Persian, Urdu, Pashto, …


def _cyrillic(letters: str) -> str:
    if _UKRAINIAN.search(letters):
        return "uk"
    return "ru" if _RUSSIAN.search(letters) and not _NOT_RUSSIAN.search(letters) else ""


def _arabic(letters: str) -> str:
    return "ar" if _ARABIC.search(letters) and not _NOT_ARABIC.search(letters) else ""


def _chinese_or_japanese(letters: str) -> str:
    return "ja" if re.search(f"[{_KANA}]", letters) else "zh"


# The letters of each script, with their language or a function that detects it.
_SCRIPTS: tuple[tuple[re.Pattern[str], str | Callable[[str], str]], ...] = tuple(
    (re.compile(f"[{letters}]"), language)
    for letters, language in (
        (r"\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3", "ko"),
        (_HAN + _KANA, _chinese_or_japanese),
        (r"\u0370-\u03ff\u1f00-\u1fff", "el"),
        (r"\u0400-\u052f", _cyrillic),
        (r"\u0531-\u0587", "hy"),
        (r"\u05d0-\u05ea", "he"),
        (r"\u0620-\u064a\u0671-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f", _arabic),
        (r"\u0a05-\u0a74", "pa"),
        (r"\u0a85-\u0acc", "gu"),
        (r"\u0b83-\u0bcc", "ta"),
        (r"\u0c05-\u0c4c", "te"),
        (r"\u0c85-\u0ccc", "kn"),
        (r"\u0d05-\u0d4c", "ml"),
        (r"\u0d85-\u0ddf", "si"),
        (r"\u0e01-\u0e46", "th"),
        (r"\u0e81-\u0edd", "lo"),
        (r"\u10a0-\u10ff", "ka"),
        (r"\u1780-\u17b3", "km"),
    )
)


def language_of(text: str) -> str:
    """The language of a text as a BCP 47 tag, like ko, if more than half of its letters are of that language; else "".

    Reads no more than the first MAX_READ characters.
    """
    if text.isascii():
        return ""
    letters = "".join(_LETTER.findall(text[:MAX_READ]))
    for script, language in _SCRIPTS:
        found = script.findall(letters)
        if len(found) * 2 > len(letters):
            return language if isinstance(language, str) else language("".join(found))
    return ""
