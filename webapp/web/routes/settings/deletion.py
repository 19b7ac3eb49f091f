"""Having one's account deleted."""

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from webapp.lib.times import utcnow
from webapp.models import Deletion, User
from webapp.models.account_contents import contents_of
from webapp.models.deletion import RETURN_WITHIN
from webapp.models.stopping import stop
from webapp.web.auth import signed_in_user
from webapp.web.caching import clear_site_data
from webapp.web.forms.deletion import DeletionForm
from webapp.web.presenters import deletion as words
from webapp.web.reauthentication import reauthentication_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record

GONE = "Your account is deleted. What was in it goes within the next few hours."
LEAVING = "Your account is out of sight, and will be deleted in {days} days. Sign in before then to keep it."


@bp.get("/data/deletion")
@reauthentication_required
def show_deletion() -> ResponseReturnValue:
    """What would go with the account, and what would stay."""
    return _page(DeletionForm(signed_in_user()))


@bp.post("/data/deletion")
@reauthentication_required
def delete_account() -> ResponseReturnValue:
    """Have the account deleted: out of use at once, and for good after RETURN_WITHIN; a guest’s at once."""
    user, form = signed_in_user(), DeletionForm(signed_in_user())
    if not form.validate_on_submit():
        return _page(form, 422)
    was_guest = user.is_guest
    record(Event.DELETION_ASKED, user)
    stop(Deletion.begin(user))
    logout_user()
    session.clear()
    flash(GONE if was_guest else LEAVING.format(days=RETURN_WITHIN.days))
    return clear_site_data(redirect(url_for("home.index"), 303))


def _page(form: DeletionForm, status: int = 200) -> ResponseReturnValue:
    user: User = signed_in_user()
    contents = contents_of(user)
    due_at = None if user.is_guest else utcnow() + RETURN_WITHIN
    said = {"at_once": words.at_once(contents), "later": words.later(contents), "staying": words.staying(contents)}
    page = render_template("settings/deletion.html", form=form, due_at=due_at, days=RETURN_WITHIN.days, **said)
    return page, status
