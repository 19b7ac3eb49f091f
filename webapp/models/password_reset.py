"""PasswordReset: what the link in a mail allows, and how a password is changed so that its owner is told.

The token of a link is signed, not stored. It is bound to the stored password and to the address that it was mailed to,
so it is void once it was used, once the password was changed otherwise, and once the account has another address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.account_mail import AccountMail
from webapp.models.passwords import hash_password
from webapp.models.user import User

LASTS = timedelta(minutes=30)  # from when the mail is sent
LONGEST_TOKEN = 300  # characters; ours have some 110
SALT = "errand.reset"


@dataclass(frozen=True)
class PasswordReset:
    """The account of a token; whether the token still `is_good`, and for how many seconds it would be."""

    user: User
    is_good: bool
    seconds_left: int

    @classmethod
    def by_token(cls, token: str, secret_keys: Sequence[str]) -> "PasswordReset | None":
        """What a token is for; None if it is not ours or too old, or the account is gone. At most one query."""
        if not 0 < len(token) <= LONGEST_TOKEN:
            return None
        try:
            content, signed_at = _serializer(secret_keys).loads(token, max_age=_seconds(LASTS), return_timestamp=True)
        except BadData:
            return None
        user_id, state = content
        user = User.get_or_none(User.id == user_id)
        if user is None:
            return None
        left = signed_at.replace(tzinfo=None) + LASTS - utcnow()
        return cls(user, may_be_reset(user) and state == _state_of(user), max(1, _seconds(left)))

    def set_password(self, password: str) -> bool:
        """Set the new password, end all sessions of the account, and tell its owner by mail.

        Returns whether; of several at the same time, the first alone does it.
        """
        return self.is_good and change_password(self.user, password, once=True)


def reset_token(user: User, secret_keys: Sequence[str]) -> str:
    """The token of a link by which this account gets a new password, from now on for LASTS, once."""
    return str(_serializer(secret_keys).dumps([user.id, _state_of(user)]))


def may_be_reset(user: User) -> bool:
    """Whether a mail may let somebody into the account: it has a password, and its address is confirmed."""
    return bool(user.password_hash and user.email and user.email_confirmed_at)


def can_be_reset() -> Any:
    """`may_be_reset` for queries of users."""
    return (User.password_hash != "") & (User.email != "") & User.email_confirmed_at.is_null(False)


def change_password(user: User, password: str, *, once: bool = False) -> bool:
    """Set a new password, end all sessions of the account, and tell its owner by mail if there was a password.

    Returns whether; with `once`, not if the password or the address is another than when `user` was read. Costs a hash.
    """
    before, password_hash = user.password_hash, hash_password(password)
    with database.atomic():
        is_set = user.store_password_hash(password_hash, instead_of=before if once else None)
        if is_set and before:
            AccountMail.tell(user, "password_changed")
    return is_set


def _serializer(secret_keys: Sequence[str]) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_keys, SALT, signer_kwargs={"digest_method": sha256})


def _state_of(user: User) -> str:
    """What a token is bound to. The stored password has its salt, so its hash tells nothing."""
    return sha256(f"{user.password_hash}\n{user.email}".encode()).hexdigest()[:32]


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
