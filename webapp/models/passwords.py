"""Passwords: hashed, and compared in a time that tells nothing.

Hashing takes the processor for a quarter of a second and 32 MB by design, so few threads of a process do it at a time.
The others answer everything else meanwhile, however many people, or programs, sign in at once.
"""

import secrets
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from webapp.lib.normalization import compatible
from webapp.lib.places import Places

# Method and costs, as Werkzeug spells them; each hash keeps its own. N, r and p are what OWASP advises for 32 MB:
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
HASHING = "scrypt:32768:8:3"
PASSWORD_LENGTH = (12, 128)  # characters of a new one; the upper one bounds the work of looking at it
MIN_WITH_SECOND_FACTOR = 8  # characters of a new one, where it is not all that has to be guessed
MAX_TYPED = 200  # characters; passwords of before may be as long, and what is longer is wrong without hashing it

AT_ONCE = 1  # threads of a process that hash; each takes one core
QUEUED = 2  # threads that wait for that one; the others, more than half, are left for all else
QUEUE_TIMEOUT = 3.0  # seconds


class HashingBusy(Exception):
    """So many threads hash passwords that this one did not get a place. In a moment it may."""


hashing_places = Places(AT_ONCE, QUEUED, QUEUE_TIMEOUT, HashingBusy)


def min_length(has_second_factor: bool) -> int:
    """How many characters a new password has at least."""
    return MIN_WITH_SECOND_FACTOR if has_second_factor else PASSWORD_LENGTH[0]


def hash_password(password: str) -> str:
    """What is stored of a password, however its letters are encoded. Costs 0.25 s by design. Raises HashingBusy."""
    with hashing_places.place():
        return generate_password_hash(compatible(password), HASHING)


def is_password(password_hash: str, password: str) -> bool:
    """Whether the hash is of that password. Costs as much as `hash_password`, also if the hash is an older one.

    How long it takes depends on what was typed alone, unless it is right. Raises HashingBusy.
    """
    if len(password) > MAX_TYPED:
        return False
    ways = dict.fromkeys((compatible(password), password))  # the second for hashes of before
    with hashing_places.place():
        return any(check_password_hash(password_hash, way) or _spend_what_is_left(password_hash) for way in ways)


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with other costs than those of today."""
    return _method(password_hash) != HASHING


@cache
def hash_of_no_password() -> str:
    """What a sign-in under an unknown name is checked against, so that it takes as long as any other; of nothing."""
    return f"{HASHING}${secrets.token_hex(8)}${secrets.token_hex(64)}"


def _method(password_hash: str) -> str:
    return password_hash.partition("$")[0]


def _spend_what_is_left(password_hash: str) -> bool:
    """After a wrong password for a hash that costs less than those of today: take the time that is missing; False.

    Otherwise the time of an answer would tell which accounts nobody has signed in to since the costs were raised.
    """
    if is_outdated(password_hash):
        (n, r, p), (old_n, old_r, old_p) = (_costs(method) for method in (HASHING, _method(password_hash)))
        if (blocks := p - round(old_n * old_r * old_p / (n * r))) > 0:
            generate_password_hash("", f"scrypt:{n}:{r}:{blocks}")
    return False


def _costs(method: str) -> tuple[int, ...]:
    return tuple(int(cost) for cost in method.split(":")[1:])
