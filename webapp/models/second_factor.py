"""SecondFactor: what an account asks for besides its password: a code of an authenticator app, or a recovery code.

The app and the site share a secret, from which both make a code for each 30 seconds (TOTP, RFC 6238, by SHA-1, with 6
digits, as every app can). A code of the step before or after counts too, as clocks differ; each counts once.
"""

import logging
import re
import secrets
from enum import Enum
from time import time
from typing import Final

import pyotp
from pyotp.exceptions import OTPVerificationError

from tasks.engine.config import config
from webapp.db import database
from webapp.lib.normalization import compatible
from webapp.lib.sealing import CannotUnseal, seal, unseal
from webapp.models.account_mail import AccountMail
from webapp.models.passwords import hashing_places
from webapp.models.recovery_code import RecoveryCode, hash_code, new_codes
from webapp.models.session import Session
from webapp.models.user import User

log = logging.getLogger(__name__)

STEPS_EITHER_WAY: Final = 1


class Sealed(Enum):
    """What is sealed for an account. One is never taken for another."""

    SECRET = b"second factor of an account, version 1"
    SETUP = b"second factor to be, version 1"
    CODES = b"recovery codes to be shown, version 1"
    TOKEN = b"API token to be shown, version 1"


class Proof(Enum):
    """By what somebody proved last who they are."""

    PASSWORD = "password"  # noqa: S105 - no password
    APP = "app"
    RECOVERY_CODE = "recovery code"


class WrongCode(Exception):
    """It is no code of this moment, or has been used."""


class AlreadyOn(Exception):
    """The account has a second factor, which stays as it is."""


class Demanded(Exception):
    """The account has a role, which demands a second factor."""


class SecondFactor:
    """The second factor of an account. Any process may change it at any time; what is written is decided by the row."""

    def __init__(self, user: User) -> None:
        self.user = user

    def turn_on(self, secret: str, code: str) -> list[str]:
        """Demand codes of an app that has this secret, as the code of one shows; returns the recovery codes.

        They are told by mail. Raises WrongCode, and AlreadyOn: also when two do this at once. A guest, who has no
        first factor, gets AlreadyOn, too. Costs NUMBER hashes. Raises HashingBusy.
        """
        step = _step_of(secret, code)
        if step is None:
            raise WrongCode
        codes, hashes, salt = _new_set()
        sealed = seal_for(self.user, Sealed.SECRET, secret)
        is_off = (User.id == self.user.id) & User.totp_secret.is_null() & (User.password_hash != "")
        with database.atomic():
            if not User.update(totp_secret=sealed, totp_last_step=step).where(is_off).execute():
                raise AlreadyOn
            RecoveryCode.replace_all(self.user, hashes, salt)
            AccountMail.tell(self.user, "second_factor_on")
        self.user.totp_secret, self.user.totp_last_step = sealed, step
        return codes

    def accept(self, code: str) -> Proof | None:
        """What a code that somebody typed proves, and use it up; None if it proves nothing. Raises HashingBusy."""
        if re.fullmatch("[0-9]{6}", typed := _digits(code)):
            return Proof.APP if self._accept_step(typed) else None
        found = RecoveryCode.find(self.user, code)
        with database.atomic():
            if not (found and found.use()):
                return None
            AccountMail.tell(self.user, "recovery_code_used", left=self.codes_left)
        return Proof.RECOVERY_CODE

    @property
    def codes_left(self) -> int:
        """How many recovery codes are unused. One query."""
        return RecoveryCode.left(self.user)

    def renew_codes(self) -> list[str]:
        """New recovery codes in place of the others, which are worth nothing any more; none if it is off by now.

        Told by mail. Costs NUMBER hashes. Raises HashingBusy.
        """
        codes, hashes, salt = _new_set()
        with database.atomic():
            User.hold(self.user.id)
            if not User.select().where(User.id == self.user.id, User.totp_secret.is_null(False)).exists():
                return []
            RecoveryCode.replace_all(self.user, hashes, salt)
            AccountMail.tell(self.user, "recovery_codes_new")
        return codes

    def turn_off(self, *, despite_role: bool = False) -> bool:
        """Demand no code any more; whether it was on. Told by mail. Half sign-ins end by it, and sessions do not.

        Raises Demanded for an account with a role. An operator may do it `despite_role`, for somebody who has lost both
        the app and the recovery codes: the role is then of no use until there is a second factor again.
        """
        is_on = (User.id == self.user.id) & User.totp_secret.is_null(False)
        may = True if despite_role else User.role.is_null()
        with database.atomic():
            if not User.update(totp_secret=None, totp_last_step=None).where(is_on, may).execute():
                if User.select().where(is_on).exists():
                    raise Demanded
                return False
            RecoveryCode.delete().where(RecoveryCode.user == self.user.id).execute()
            AccountMail.tell(self.user, "second_factor_off")
        self.user.totp_secret = self.user.totp_last_step = None
        return True

    def warn_of_guesses(self) -> None:
        """Tell them by mail that somebody who has their password guesses codes."""
        AccountMail.tell(self.user, "second_factor_guessed")

    def end_other_sessions(self) -> None:
        """End all sessions of the account but the one by which `user` is signed in."""
        Session.end_all(self.user, but=self.user.session)

    def _accept_step(self, digits: str) -> bool:
        sealed = self.user.totp_secret
        step = _step_of(_unsealed(self.user, sealed), digits) if sealed else None
        if step is None:
            return False
        is_unused = User.totp_last_step.is_null() | (User.totp_last_step < step)
        row = (User.id == self.user.id) & (User.totp_secret == sealed)
        return bool(User.update(totp_last_step=step).where(row, is_unused).execute())


def new_secret() -> str:
    """A secret for an app: 160 bits, in base 32."""
    return pyotp.random_base32()


def seal_for(user: User, what: Sealed, text: str) -> str:
    """A text as it may lie anywhere: only this site reads it, and only as this account's."""
    return seal(text, key=config().secret_key, purpose=what.value, owner=str(user.id).encode())


def unseal_for(user: User, what: Sealed, sealed: str) -> str:
    """What was sealed for this account. Raises CannotUnseal."""
    return unseal(sealed, keys=config().secret_keys, purpose=what.value, owner=str(user.id).encode())


def _unsealed(user: User, sealed: str) -> str:
    """Their secret; empty if nobody can read it any more, so that their recovery codes are what signs in."""
    try:
        return unseal_for(user, Sealed.SECRET, sealed)
    except CannotUnseal:
        log.error("SECRET_KEY is not the one by which a second factor was sealed", extra={"fields": {"user": user.id}})
        return ""


def _step_of(secret: str, code: str) -> int | None:
    """The time step that a code belongs to, None if it is wrong. Compared in constant time."""
    if not secret or not re.fullmatch("[0-9]{6}", digits := _digits(code)):
        return None
    try:
        app = pyotp.TOTP(secret)
        return int(app.verify_and_get_timecode(digits, for_time=time(), valid_window=STEPS_EITHER_WAY))
    except OTPVerificationError:
        return None


def _digits(code: str) -> str:
    """A code as it was meant: in any digits, with blanks or dashes anywhere."""
    return "".join(str(int(c)) if c.isdecimal() else c for c in re.sub(r"[\s-]", "", compatible(code)))


def _new_set() -> tuple[list[str], list[str], str]:
    """New recovery codes, what is stored of them, and their salt."""
    codes, salt = new_codes(), secrets.token_hex(16)
    with hashing_places.place():
        return codes, [hash_code(code.replace("-", ""), salt) for code in codes], salt
