"""HalfSignIn: what the session of a browser says between the right password and the right code.

It signs in to nothing. It is over after `HOLDS`, when it has led to a sign-in, and with a new password or another
second factor of the account.
"""

import hmac
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from flask import session

from webapp.models import RateCount, User
from webapp.models.session import new_key

HOLDS: Final = 10 * 60  # seconds
_KEY: Final = "_half"
_DIGEST: Final = 22  # characters of a digest: 88 bits


@dataclass(frozen=True)
class HalfSignIn:
    """One that is not over: whose it is, and what names it."""

    user: User
    name: str

    @classmethod
    def begin(cls, user: User) -> None:
        """They have just given their password. In place of an earlier one of this browser."""
        session[_KEY] = f"{user.id}.{int(time.time())}.{new_key()[:_DIGEST]}.{_state_of(user)}"

    @classmethod
    def of_this_browser(cls) -> "HalfSignIn | None":
        """That of this browser; None if there is none, or it is over. At most two queries."""
        parts = str(session.get(_KEY, "")).split(".")
        if len(parts) != 4 or not 0 <= time.time() - int(parts[1]) <= HOLDS:
            return None
        user = User.get_or_none(User.id == int(parts[0]))
        if user is None or not user.has_second_factor or not hmac.compare_digest(_state_of(user), parts[3]):
            return None
        return cls(user, parts[2]) if RateCount.find(_used(parts[2])) is None else None

    def finish(self) -> bool:
        """Have it used up, for every copy of the cookie; whether this was the first to do so. One write."""
        session.pop(_KEY, None)
        return RateCount.add(_used(self.name), HOLDS) == 1


def _used(name: str) -> str:
    return f"half sign-in {name}"


def _state_of(user: User) -> str:
    """What must be as it was: the account's key, which a new password changes, and the second factor."""
    return sha256(f"{user.session_key} {user.totp_secret}".encode()).hexdigest()[:_DIGEST]
