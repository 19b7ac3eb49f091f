"""Auditing: what somebody changes at the desk leaves exactly one entry in the audit, also where it is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

from flask import abort, g, make_response
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from werkzeug.exceptions import HTTPException

from webapp.lib import logs
from webapp.models import User
from webapp.models.audit import AUDITED, Asker, Audited, AuditEntry, Via, audit, record_refusal
from webapp.models.permissions import may
from webapp.web.auth import reader
from webapp.web.clients import coarse_network
from webapp.web.security_log import Event, record

# What an argument of a URL is the id of, as targets call it.
NOUNS = {
    "task_id": "task",
    "name": "kind",
    "worker": "worker",
    "person_id": "person",
    "report_id": "report",
    "address_id": "suppression",
}
NO_REASON = "no reason given"
P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def page_asker() -> Asker:
    """Whoever presses a button of a page."""
    return Asker(user=reader(), via=Via.PAGE, network=coarse_network(), request_id=logs.request_id())


def audited_action(action: Audited) -> Callable[[View[P]], View[P]]:
    """Have a view be for those who may do that, and answer 404 to all others. It stands below the route.

    The view does it within `audited`. If it answers without that, what was sent was no good: the audit then says that
    it was refused, and why, if the view has said so by `accepted` or `refuse`, or else with which status. Nobody else
    than people with a role is audited for a knock: the security log has it.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def do(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            target = " ".join(f"{NOUNS[name]} {logs.clean(str(value))}" for name, value in kwargs.items())
            user = reader()
            if not may(user, AUDITED[action].needs):
                record(Event.PERMISSION_REFUSED, user, action=AUDITED[action].needs.value)
                if user is not None and user.role:
                    record_refusal(page_asker(), action, target, "not allowed by the role")
                abort(404)
            g.audited_action, g.is_audited, g.refusal = action, False, ""
            try:
                answer = make_response(view(*args, **kwargs))
            except HTTPException as error:
                _refused(target, error.code or 500)
                raise
            _refused(target, answer.status_code)
            return answer

        return do

    return guard


@contextmanager
def audited(target: str, *, about: User | int | None = None, reason: str = "") -> Iterator[AuditEntry]:
    """Do what the view was asked for, in one transaction with its entry; see `webapp.models.audit.audit`.

    Once in a view that has an `audited_action`.
    """
    g.is_audited = True
    with audit(page_asker(), g.audited_action, target, about=about, reason=reason) as entry:
        yield entry


def accepted(form: FlaskForm) -> bool:
    """Whether a form is right that a view with an `audited_action` got. If not, the audit says what its errors say,
    and of a reason that was forgotten, only that."""
    is_right = form.validate_on_submit()
    if not is_right:
        missing = getattr(form, "missing", "")
        errors = [str(words) for errors in form.errors.values() for words in errors]
        refuse(" ".join(NO_REASON if words == missing else words for words in errors))
    return is_right


def refuse(why: str) -> None:
    """Have the audit say why a view with an `audited_action` does nothing; it is not to come to `audited` then."""
    g.refusal = why


def _refused(target: str, status: int) -> None:
    if not g.is_audited:
        g.is_audited = True
        record_refusal(page_asker(), g.audited_action, target, g.refusal or f"answered {status}")
