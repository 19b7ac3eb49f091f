"""A web process that is killed at a press of the desk: after its effect, after its entry in the audit, or answering."""

import os
import signal
from typing import Any

from flask import Response, request

from tests.browsing import browse
from webapp.app import create_app
from webapp.models import AuditEntry, KindControl, User


def press(user_id: str, place: str) -> None:
    """Pause a kind as that operator, and die there."""
    app = create_app()
    browser = browse(app, User.get_by_id(int(user_id)))
    if place == "answer":
        app.after_request_funcs.setdefault(None, []).append(_die)
    elif place == "entry":
        _die_after(AuditEntry, "save")
    else:
        _die_after(KindControl, "pause")
    browser.submit("/desk/kinds/countdown/pause", length="1h", reason="Printers are full.")


def _die(response: Response) -> Response:
    if request.method == "POST":
        os.kill(os.getpid(), signal.SIGKILL)
    return response


def _die_after(model: Any, name: str) -> None:
    function = getattr(model, name)

    def dying(*args: Any, **named: Any) -> None:
        function(*args, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(model, name, dying)
