"""Returning: who gives the password of an account that is to be deleted is asked whether to keep it.

Until they say so they are not signed in. What the session of the browser says meanwhile is over after `HOLDS`, with the
answer, and once the account is back or gone, for every copy of the cookie.
"""

import time
from typing import Final

from flask import redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from webapp.models import Deletion, User
from webapp.web import suspended
from webapp.web.half_sign_in import HOLDS
from webapp.web.redirects import local_url, redirect_to_next
from webapp.web.sign_ins import complete_sign_in

_KEY: Final = "_returning"


def come_in(user: User) -> ResponseReturnValue:
    """Somebody has proved all that their account asks for: sign them in and go on to where they wanted; or ask whether
    an account that is to be deleted is to be kept. Of one that is suspended they read why nobody may use it."""
    if not user.is_deleted:
        if user.is_suspended:
            return suspended.page(user)
        complete_sign_in(user)
        return redirect_to_next()
    if leaving := Deletion.of(user):
        session[_KEY] = f"{int(time.time())}.{leaving.nonce}"
    return redirect(url_for("accounts.keep", next=local_url(request.values.get("next"))), 303)


def returning() -> Deletion | None:
    """The deletion of the account whose owner this browser has shown to be there; None if that is over. One query."""
    at, _, nonce = str(session.get(_KEY, "")).partition(".")
    if not at.isdigit() or not 0 <= time.time() - int(at) <= HOLDS:
        return None
    return Deletion.of_nonce(nonce)


def forget() -> None:
    """They have answered."""
    session.pop(_KEY, None)


def name_of(user: User) -> str:
    """What the owner of an account knows it by, also while it is to be deleted."""
    leaving = Deletion.of(user) if user.is_deleted else None
    return leaving.username if leaving else user.username
