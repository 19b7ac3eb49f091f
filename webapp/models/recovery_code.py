"""RecoveryCode: what signs in, once each, for whoever has lost their authenticator app."""

import hmac
import re
import secrets
from collections.abc import Sequence
from hashlib import scrypt
from typing import Final

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField

from webapp.db import BaseModel
from webapp.lib.normalization import compatible
from webapp.lib.times import utcnow
from webapp.models.passwords import hashing_places
from webapp.models.user_row import UserRow

NUMBER: Final = 10  # of a set
FEW: Final = 3  # left: time to make new ones
LENGTH: Final = 10  # letters of LETTERS: 50 bits, and slow to try for who has the table
LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # none is like another: i and l are read as 1, and o as 0
ALIKE: Final = str.maketrans("ilo", "110")
COST = 2**14  # of scrypt: some 30 ms and 16 MB


class RecoveryCode(BaseModel):
    """A row of `recovery_codes`.

    The codes of a set share a salt, so that to look for one costs one hash. They do not need SECRET_KEY, so they sign
    in also where that was lost, and with it every secret of an app.
    """

    id = AutoField()
    user = ForeignKeyField(UserRow, on_delete="CASCADE", backref="+")
    salt = CharField(max_length=32, help_text="of its set, in hexadecimal")
    code_hash = CharField(max_length=64, help_text="scrypt of the code, in hexadecimal")
    created_at = DateTimeField(default=utcnow)
    used_at = DateTimeField(null=True)

    class Meta:
        table_name = "recovery_codes"

    @classmethod
    def replace_all(cls, user: UserRow, hashes: Sequence[str], salt: str) -> None:
        """Give an account this set in place of any other; in a transaction. Two writes."""
        cls.delete().where(cls.user == user.id).execute()
        same = {"user": user.id, "salt": salt, "created_at": utcnow()}
        cls.insert_many([same | {"code_hash": each} for each in hashes]).execute()

    @classmethod
    def left(cls, user: UserRow) -> int:
        """How many of an account's are unused. One query."""
        return int(cls.select().where(cls.user == user.id, cls.used_at.is_null()).count())

    @classmethod
    def find(cls, user: UserRow, typed: str) -> "RecoveryCode | None":
        """The unused code that somebody typed. Costs a query and a hash, unless it cannot be a code.

        Raises HashingBusy.
        """
        letters = as_typed(typed)
        unused = list(cls.select().where(cls.user == user.id, cls.used_at.is_null())) if letters else []
        if not unused or letters is None:
            return None
        with hashing_places.place():
            wanted = hash_code(letters, unused[0].salt)
        return next((each for each in unused if hmac.compare_digest(each.code_hash, wanted)), None)

    def use(self) -> bool:
        """Use it up; whether it was there to be used. Of two that come at once, one gets it."""
        is_unused = (RecoveryCode.id == self.id) & RecoveryCode.used_at.is_null()
        return bool(RecoveryCode.update(used_at=utcnow()).where(is_unused).execute())


def new_codes() -> list[str]:
    """NUMBER codes that nobody can guess, as they are shown: xxxxx-xxxxx."""
    drawn = ("".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(NUMBER))
    return [f"{each[: LENGTH // 2]}-{each[LENGTH // 2 :]}" for each in drawn]


def as_typed(text: str) -> str | None:
    """The letters of a code, however it was typed: in capitals, with blanks, a letter for a digit; None for no code."""
    letters = re.sub(r"[\W_]", "", compatible(text).lower()).translate(ALIKE)
    return letters if len(letters) == LENGTH and set(letters) <= set(LETTERS) else None


def hash_code(letters: str, salt: str) -> str:
    """What is stored of a code. Within a `hashing_places.place()`, as all that takes the processor for so long."""
    return scrypt(letters.encode(), salt=bytes.fromhex(salt), n=COST, r=8, p=1, dklen=32, maxmem=2**26).hex()
