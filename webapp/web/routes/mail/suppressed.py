"""The addresses that a person’s mails do not go to: who has unsubscribed, whom a server refuses, whom they entered."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.i18n import ngettext
from webapp.models import Suppression
from webapp.models.mailing.suppression import REMOVABLE, Reason
from webapp.web import paging
from webapp.web.auth import signed_in_user
from webapp.web.forms.suppressions import SuppressionForm
from webapp.web.routes.mail.blueprint import bp


@bp.get("/suppressed")
def show_suppressed() -> ResponseReturnValue:
    """Those of this person, newest first, and a form to add some."""
    return _page(SuppressionForm())


@bp.post("/suppressed")
def suppress() -> ResponseReturnValue:
    """Add addresses; those that are there already stay as they are."""
    form = SuppressionForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    number = Suppression.add(signed_in_user().id, form.parsed.addresses, Reason.ENTERED)
    flash(ngettext("%(num)s address added.", "%(num)s addresses added.", number))
    return redirect(url_for("mail.show_suppressed"), 303)


@bp.post("/suppressed/<int:suppression_id>/deletion")
def remove_suppressed(suppression_id: int) -> ResponseReturnValue:
    """Let an address get mail again, unless whoever reads it has unsubscribed. Aborts with 404 for anybody else's."""
    user = signed_in_user()
    found = Suppression.of(user).where(Suppression.id == suppression_id).get_or_none() or abort(404)
    if Suppression.remove(user.id, found.address, REMOVABLE):
        flash(f"Your emails go to {found.address} again.")
    else:
        flash(f"{found.address} has unsubscribed. Only they can undo that, by the link in an email from you.")
    return redirect(url_for("mail.show_suppressed"), 303)


def _page(form: SuppressionForm, status: int = 200) -> ResponseReturnValue:
    found = paging.page(Suppression.of(signed_in_user()), request.args.get("before"))
    return render_template("mail/suppressed.html", form=form, suppressed=found), status
