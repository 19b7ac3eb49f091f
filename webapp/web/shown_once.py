"""Recovery codes between being made and being written down: sealed, in the session of the browser that made them."""

import time
from typing import Final

from flask import session

from webapp.lib.sealing import CannotUnseal
from webapp.models import User
from webapp.models.second_factor import Sealed, seal_for, unseal_for

HOLDS: Final = 10 * 60  # seconds in which its page may be loaded again, if the first answer was lost
_KEY: Final = "_codes"


def keep_codes(user: User, codes: list[str]) -> None:
    """Let this browser see them for a while. Also called with none, to forget them."""
    session.pop(_KEY, None)
    if codes:
        session[_KEY] = seal_for(user, Sealed.CODES, f"{int(time.time())} {' '.join(codes)}")


def kept_codes(user: User) -> list[str]:
    """Those that this browser may still see; none once the second factor is off."""
    try:
        made_at, *codes = unseal_for(user, Sealed.CODES, session.get(_KEY, "")).split()
    except CannotUnseal:
        return []
    return codes if user.has_second_factor and 0 <= time.time() - int(made_at) <= HOLDS else []
