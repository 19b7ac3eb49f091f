"""Re-authentication: before what would harm most, people prove once more who they are; that holds for a while.

Whoever asked for a page that needs it is sent back to it. A form that needs it is kept: it is shown with a field for
the password, and both are sent by one press, so nothing typed is lost. That works without htmx, so such forms are sent
without it.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.times import utcnow
from webapp.models import SecondFactor, User
from webapp.models.permissions import Action, may
from webapp.models.second_factor import Proof
from webapp.web import htmx
from webapp.web.auth import reader, renew_session, signed_in_user
from webapp.web.code_attempts import CodeAttempt
from webapp.web.form_recovery import recover_form
from webapp.web.forms.second_factor import WRONG_CODE, ProofForm
from webapp.web.presenters.proof_words import purpose
from webapp.web.rate_limits import PasswordAttempt
from webapp.web.redirects import local_url, redirect_back
from webapp.web.security_log import Event, record

HOLDS = timedelta(minutes=10)
PREFIX = "reauthentication_"  # of the fields that a kept form has besides its own
FIELDS = (f"{PREFIX}password", f"{PREFIX}code")
P = ParamSpec("P")


def is_recent() -> bool:
    """Whether who is signed in has proved who they are within `HOLDS`; a guest, who cannot, need not."""
    user = signed_in_user()
    proved_at = user.session.authenticated_at if user.session else None
    return user.is_guest or (proved_at is not None and utcnow() - proved_at < HOLDS)


def reauthentication_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Have a view of signed-in people ask for their password first, unless they gave it a moment ago."""
    return _asking_first(view, lambda: not is_recent())


def reauthentication_for(
    action: Action,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """The same, of those who may do that; whoever may not is left to the view. So it stands above `audited_action`."""

    def guard(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        return _asking_first(view, lambda: may(reader(), action) and not is_recent())

    return guard


def second_factor_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """The same for a form that has a field for the password anyhow: only who has a second factor is asked first."""
    return _asking_first(view, lambda: signed_in_user().has_second_factor and not is_recent())


def _asking_first(
    view: Callable[P, ResponseReturnValue], is_due: Callable[[], bool]
) -> Callable[P, ResponseReturnValue]:
    @wraps(view)
    def ask_first(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not is_due():
            return view(*args, **kwargs)
        if htmx.is_htmx():
            return htmx.go_to(_address(local_url(htmx.current_page()) or url_for("home.index")))
        if request.method in {"GET", "HEAD"}:
            return redirect(_address(request.full_path.rstrip("?")), 303)
        form = ProofForm(signed_in_user(), prefix=PREFIX)
        has_tried = any(name in request.form for name in FIELDS)
        if has_tried and form.validate() and prove(form):
            return view(*args, **kwargs)
        return _ask_with_kept_form(form if has_tried else ProofForm(signed_in_user(), formdata=None, prefix=PREFIX))

    return ask_first


def prove(form: ProofForm) -> Proof | None:
    """By what who is signed in has proved in a valid form who they are, which then holds for this session; or None.

    It counts as an attempt at the password, and at a code. What is wrong is said at its field. Raises TooManyRequests.
    """
    user = signed_in_user()
    attempt = PasswordAttempt(user.username_key)
    if not user.has_password(form.password.data or ""):
        form.password.errors = ["That’s not your password."]
        record(Event.REAUTHENTICATION_FAILED, user)
        return None
    attempt.was_no_guess()
    proof = accept_code(user, form.code.data or "") if user.has_second_factor else Proof.PASSWORD
    if proof is None:
        form.code.errors = [WRONG_CODE]
        return None
    renew_session(user)
    record(Event.REAUTHENTICATED, user)
    return proof


def accept_code(user: User, code: str) -> Proof | None:
    """What a code proves, counted as an attempt and logged; None if it is wrong. Raises TooManyRequests."""
    attempt = CodeAttempt(user)
    proof = SecondFactor(user).accept(code)
    if proof is None:
        attempt.failed()
        record(Event.SECOND_FACTOR_FAILED, user)
        return None
    attempt.succeeded()
    if proof is Proof.RECOVERY_CODE:
        record(Event.RECOVERY_CODE_USED, user)
    return proof


def _address(back: str) -> str:
    return url_for("accounts.reauthenticate", next=back)


def _ask_with_kept_form(form: ProofForm) -> ResponseReturnValue:
    """The page that asks, with the form that was sent; only the page if that is not to be shown."""
    kept = recover_form(signed_in_user().id, FIELDS, even_empty=True)
    if kept is None:
        flash("Nothing has changed. Confirm it’s you, then try again.")
        return redirect(_address(redirect_back(url_for("home.index"))), 303)
    headers: dict[str, Any] = {"Cache-Control": "no-store"}
    shown = {"form": form, "recovered": kept, "purpose": purpose()}
    return render_template("accounts/reauthenticate_kept.html", **shown), 422, headers
