"""Re-authentication: before what would harm most, people prove once more who they are; that holds for a while."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.times import utcnow
from webapp.web.auth import signed_in_user

HOLDS = timedelta(minutes=10)
P = ParamSpec("P")


def is_recent() -> bool:
    """Whether who is signed in has proved who they are within `HOLDS`; a guest, who cannot, need not."""
    user = signed_in_user()
    proved_at = user.session.authenticated_at if user.session else None
    return user.is_guest or (proved_at is not None and utcnow() - proved_at < HOLDS)


def reauthentication_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Have a view of signed-in people ask for their password first, unless they gave it a moment ago."""

    @wraps(view)
    def ask_first(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if is_recent():
            return view(*args, **kwargs)
        return redirect(url_for("accounts.reauthenticate", next=request.full_path.rstrip("?")), 303)

    return ask_first
