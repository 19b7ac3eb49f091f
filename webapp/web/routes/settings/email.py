"""Where they are mailed: the address that is theirs, and one that they have not confirmed yet."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.mail.confirmation_links import can_send_links
from webapp.mail.link_limits import TooManyLinks
from webapp.models import EmailChange
from webapp.models.email_change import UNDO_LASTS
from webapp.web.address_requests import request_address, send_link_again
from webapp.web.auth import signed_in_user
from webapp.web.forms.settings import EmailForm
from webapp.web.reauthentication import reauthentication_required
from webapp.web.redirects import redirect_back
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record

UNREACHED = "Your notification settings ask for email. You’ll get none until you add an email address."


@bp.get("/email")
@reauthentication_required
def change_email() -> ResponseReturnValue:
    """The form for another address, filled in with the latest one."""
    user = signed_in_user()
    pending = EmailChange.pending_of(user)
    return _page(EmailForm(email=pending.address if pending else user.email))


@bp.post("/email")
@reauthentication_required
def update_email() -> ResponseReturnValue:
    """Ask for another address, which is theirs once it is confirmed; or remove the one there is, at once."""
    form = EmailForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    if not form.email.data:
        flash(_remove())
        return redirect(url_for("settings.show"), 303)
    try:
        flash(request_address(signed_in_user(), form.email.data))
    except TooManyLinks as error:
        form.email.errors = [str(error)]
        return _page(form, 422)
    return redirect(url_for("settings.show"), 303)


@bp.post("/email/link")
def send_link() -> ResponseReturnValue:
    """Send another link to the address that is to be confirmed."""
    try:
        flash(send_link_again(signed_in_user(), to_present="present" in request.form))
    except TooManyLinks as error:
        flash(str(error))
    return redirect(redirect_back(url_for("settings.show")), 303)


@bp.post("/email/cancellation")
def cancel_email() -> ResponseReturnValue:
    """Forget the address that is to be confirmed; its links work no more."""
    user = signed_in_user()
    EmailChange.cancel(user)
    flash(f"{'Canceled' if user.email else 'Removed'}. Any link we sent no longer works.")
    return redirect(url_for("settings.show"), 303)


def _remove() -> str:
    user = signed_in_user()
    if user.email:
        EmailChange.remove(user)
        record(Event.ADDRESS_REMOVED, user)
    else:
        EmailChange.cancel(user)
    return f"Saved. {UNREACHED}" if user.wants_mail else "Saved. You won’t get any emails."


def _page(form: EmailForm, status: int = 200) -> ResponseReturnValue:
    shown = {"form": form, "days": UNDO_LASTS.days, "can_send": can_send_links()}
    return render_template("settings/change_email.html", **shown), status
