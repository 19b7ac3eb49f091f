"""What is shown once, to the browser that made it: sealed in its session, until it is kept elsewhere or for a while."""

import time
from typing import Final

from flask import session

from webapp.lib.sealing import CannotUnseal
from webapp.models import User
from webapp.models.second_factor import Sealed, seal_for, unseal_for

HOLDS: Final = 10 * 60  # seconds in which its page may be loaded again, if the first answer was lost
_KEYS: Final = {Sealed.CODES: "_codes", Sealed.TOKEN: "_token"}


def keep_shown(user: User, what: Sealed, words: list[str]) -> None:
    """Let this browser see these words, without blanks, for a while. Also called with none, to forget them."""
    session.pop(_KEYS[what], None)
    if words:
        session[_KEYS[what]] = seal_for(user, what, f"{int(time.time())} {' '.join(words)}")


def kept_shown(user: User, what: Sealed) -> list[str]:
    """Those that this browser may still see."""
    try:
        made_at, *words = unseal_for(user, what, session.get(_KEYS[what], "")).split()
    except CannotUnseal:
        return []
    return words if 0 <= time.time() - int(made_at) <= HOLDS else []


def keep_codes(user: User, codes: list[str]) -> None:
    """Let this browser see new recovery codes; with none, forget them."""
    keep_shown(user, Sealed.CODES, codes)


def kept_codes(user: User) -> list[str]:
    """The recovery codes that this browser may still see; none once the second factor is off."""
    return kept_shown(user, Sealed.CODES) if user.has_second_factor else []
