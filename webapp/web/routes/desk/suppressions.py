"""Addresses that get no mail to many from anybody on this site. Operators alone read them."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.models import Suppression
from webapp.models.audit import Audited
from webapp.models.mailing.suppression import Reason, key_of
from webapp.models.permissions import Action, may
from webapp.web.auditing import audited, audited_action
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk_reports import AddressForm
from webapp.web.paging import Page, page
from webapp.web.routes.desk.blueprint import bp
from webapp.web.security_log import Event, record

THEIRS_TO_UNDO = "Whoever reads that address has unsubscribed. Only they can undo that."


class Unsubscribed(ValueError):
    """Whoever reads its mail wants none."""


@bp.get("/reports/suppressions")
def suppressions() -> ResponseReturnValue:
    """The newest first, or the one that is looked for. One query; none for viewers, who see no addresses."""
    return _page()


@bp.post("/reports/suppressions/<int:address_id>/removal")
@audited_action(Audited.ALLOW_ADDRESS)
def allow_address(address_id: int) -> ResponseReturnValue:
    """Let an address get mail to many again, unless whoever reads it has unsubscribed."""
    found: Suppression = Suppression.of_site().where(Suppression.id == address_id).first() or abort(404)
    try:
        with audited(f"suppression {found.id}"):
            if not Suppression.remove(None, found.address, [r for r in Reason if r is not Reason.UNSUBSCRIBED]):
                raise Unsubscribed(THEIRS_TO_UNDO)
    except Unsubscribed as error:
        return _page(str(error))
    record(Event.ADDRESS_UNSUPPRESSED)
    flash(f"{found.address} may be mailed again.")
    return redirect(url_for("desk.suppressions"), 303)


def _page(problem: str = "") -> ResponseReturnValue:
    form, is_shown = AddressForm(request.args), may(signed_in_user(), Action.STEER)
    query = Suppression.of_site()
    if form.address:
        query = query.where(Suppression.address == key_of(form.address))
    found = page(query, request.args.get("before")) if is_shown and not form.errors else Page([], None)
    shown = {"form": form, "suppressions": found, "is_shown": is_shown, "unsubscribed": Reason.UNSUBSCRIBED}
    status = 422 if form.errors or problem else 200
    return render_template("desk/reports/suppressions.html", problem=problem, **shown), status
