"""Views for those who may do something by their role. For everybody else there is no such page."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import abort
from flask.typing import ResponseReturnValue

from webapp.models.permissions import Action, may
from webapp.web.auth import reader
from webapp.web.security_log import Event, record

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def demand_permission(action: Action) -> None:
    """Answer 404 to whoever may not do that, visitors included. The security log has it."""
    user = reader()
    if not may(user, action):
        record(Event.PERMISSION_REFUSED, user, action=action.value)
        abort(404)


def permission_required(action: Action) -> Callable[[View[P]], View[P]]:
    """Have a view demand the permission for that.

    It stands below the route, and above `reauthentication_required`, so that nobody else is asked for a password.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def ask_first(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            demand_permission(action)
            return view(*args, **kwargs)

        return ask_first

    return guard
