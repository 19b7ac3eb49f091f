"""Passwords: hashed, and compared in a time that tells nothing."""

import secrets
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from webapp.lib.normalization import compatible

HASHING = "scrypt:32768:8:1"  # method and costs, as Werkzeug spells them; each hash keeps its own
PASSWORD_LENGTH = (8, 200)  # the upper one bounds the work of reading and hashing it


def hash_password(password: str) -> str:
    """What is stored of a password, however its letters are encoded. Costs some 50 ms by design."""
    return generate_password_hash(compatible(password), HASHING)


def is_password(password_hash: str, password: str) -> bool:
    """Whether the hash is of that password. How long it takes depends on what was typed alone, unless it is right."""
    if len(password) > PASSWORD_LENGTH[1]:
        return False
    ways = dict.fromkeys((compatible(password), password))  # the second for hashes of before
    return any(check_password_hash(password_hash, way) for way in ways)


@cache
def hash_of_no_password() -> str:
    """What a sign-in under an unknown name is checked against, so that it takes as long as any other."""
    return hash_password(secrets.token_hex(16))
