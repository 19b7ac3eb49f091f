"""Where the links in mails about addresses lead. They work in any browser, signed in or not, for whoever has them.

Programs that check mail open links, so a link only leads to a question; its answer is what changes something.
"""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.mail.confirmation_links import Purpose, change_of, deletion_of
from webapp.models import ChangeState, EmailChange
from webapp.models.hiding import hide_or_show
from webapp.web.presenters.confirmation_words import ASKED, KEPT, NOT_KEPT, Outcome, outcome_of, undo_outcome_of
from webapp.web.security import keep_secret
from webapp.web.security_log import Event, record

bp = Blueprint("confirmations", __name__, url_prefix="/email")
bp.after_request(keep_secret)


@bp.get("/confirmation/<confirmation_token>")
def show_confirmation(confirmation_token: str) -> ResponseReturnValue:
    """Ask whether an address is theirs; or say what has become of that."""
    change = change_of(confirmation_token, Purpose.CONFIRM)
    if change and change.state == ChangeState.PENDING:
        return _asked(Purpose.CONFIRM, change.address, change)
    return _said(outcome_of(change), change.address if change else "", change)


@bp.post("/confirmation/<confirmation_token>")
def confirm(confirmation_token: str) -> ResponseReturnValue:
    """Make the address the account's."""
    change = change_of(confirmation_token, Purpose.CONFIRM)
    if change and change.confirm():
        record(Event.ADDRESS_CONFIRMED, change.user, change_id=change.id)
    return redirect(url_for("confirmations.show_confirmation", confirmation_token=confirmation_token), 303)


@bp.get("/undo/<undo_token>")
def show_undo(undo_token: str) -> ResponseReturnValue:
    """Ask whether a change is to be undone; or say what has become of that."""
    change = change_of(undo_token, Purpose.UNDO)
    if change and change.can_be_undone and not change.user.is_deleted:
        return _asked(Purpose.UNDO, change.old_address, change)
    return _said(undo_outcome_of(change), change.old_address if change else "", change)


@bp.post("/undo/<undo_token>")
def undo(undo_token: str) -> ResponseReturnValue:
    """Give the account its earlier address back."""
    change = change_of(undo_token, Purpose.UNDO)
    if change and change.undo():
        record(Event.ADDRESS_UNDONE, change.user, change_id=change.id)
    return redirect(url_for("confirmations.show_undo", undo_token=undo_token), 303)


@bp.get("/keep/<keep_token>")
def show_keep(keep_token: str) -> ResponseReturnValue:
    """Ask whether an account that is to be deleted is to be kept."""
    leaving = deletion_of(keep_token)
    return render_template("accounts/keep.html", leaving=leaving) if leaving else _said(NOT_KEPT, "", None)


@bp.post("/keep/<keep_token>")
def keep(keep_token: str) -> ResponseReturnValue:
    """Keep it. Nobody is signed in by that."""
    leaving = deletion_of(keep_token)
    user = leaving.take_back() if leaving else None
    if user is None:
        return _said(NOT_KEPT, "", None)
    hide_or_show()
    record(Event.DELETION_CANCELED, user)
    return render_template("confirmations/outcome.html", outcome=KEPT, address="", username=user.username)


def _asked(purpose: Purpose, address: str, change: EmailChange) -> ResponseReturnValue:
    shown = {"address": address, "username": change.user.username}
    return render_template("confirmations/ask.html", words=ASKED[purpose], **shown)


def _said(outcome: Outcome, address: str, change: EmailChange | None) -> ResponseReturnValue:
    shown = {"address": address, "username": change and change.user.username}
    return render_template("confirmations/outcome.html", outcome=outcome, **shown), outcome.status
