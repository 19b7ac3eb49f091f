"""The notification centre: what happened, what is new, and how a person hears of it."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.models import EmailChange, Notification
from webapp.web import htmx
from webapp.web.auth import require_sign_in, signed_in_user
from webapp.web.forms.notification_preferences import NotificationPreferencesForm
from webapp.web.paging import page
from webapp.web.polling import FocusFallback, conditional_fragment
from webapp.web.redirects import redirect_back

bp = require_sign_in(Blueprint("notifications", __name__, url_prefix="/notifications"))


@bp.get("")
def index() -> ResponseReturnValue:
    """All that happened, newest first."""
    return _page(NotificationPreferencesForm(current_user))


@bp.get("/_list")
def list_fragment() -> ResponseReturnValue:
    """The list alone, as the page includes it."""
    return conditional_fragment(
        lambda: render_template("notifications/_list.html", **_list()), FocusFallback("notices", "Notifications")
    )


@bp.post("/reading")
def read_all() -> ResponseReturnValue:
    """Mark all as read."""
    Notification.read(signed_in_user())
    return htmx.respond(redirect_back(url_for("notifications.index")))


# Not at /<id>/reading: there the release before marks a notice, and pages of it are open that number these otherwise.
@bp.post("/records/<int:notification_id>/reading")
def read(notification_id: int) -> ResponseReturnValue:
    """Mark one as read without going where it leads, which does that, too. Somebody else's does not exist."""
    user = signed_in_user()
    if not Notification.of(user).where(Notification.id == notification_id).exists():
        abort(404)
    Notification.read(user, Notification.id == notification_id)
    return htmx.respond(redirect_back(url_for("notifications.index")))


@bp.post("/settings")
def update_settings() -> ResponseReturnValue:
    """Change how this person hears of each kind."""
    form = NotificationPreferencesForm(current_user)
    if not form.validate_on_submit():
        return _page(form), 422
    signed_in_user().hear(form.preferences)
    flash("Saved.")
    return redirect(url_for("notifications.index"), 303)


def _page(form: NotificationPreferencesForm) -> str:
    user = signed_in_user()
    pending = None if user.email else EmailChange.pending_of(user)
    return render_template("notifications/index.html", form=form, pending=pending, **_list())


def _list() -> dict[str, Any]:
    user, before = signed_in_user(), request.args.get("before")
    listed = page(Notification.of(user), before, by="told_at")
    return {"notifications": listed, "before": before, "unread": Notification.is_any_unread(user)}
