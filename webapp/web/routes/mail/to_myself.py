"""A test of a mail to whoever writes it, by the way that all of them go."""

from flask import current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tasks.send_mail import submit_test
from webapp.mail.senders import MayNotMail, address_for_test
from webapp.models import OverLimit, OverQuota
from webapp.models.rate_count import TooMany
from webapp.web import over_quota
from webapp.web.forms.mail import MailForm
from webapp.web.presenters.mail_limits import over_limit_message, too_many_tests_message
from webapp.web.routes.mail.blueprint import bp
from webapp.web.routes.mail.draft import Draft
from webapp.web.routes.mail.pages import form_page


@bp.post("/test")
@bp.post("/<int:mailing_id>/test")
def send_test(mailing_id: int | None = None) -> ResponseReturnValue:
    """Save the draft and send it as it is to its writer alone, with all that everybody would get."""
    draft, form = Draft.find(mailing_id), MailForm(current_user.time_zone)
    form.fill_in_subject(draft.user)
    row = draft.keep(form)
    form.validate()
    form.send_at.errors = []  # a test goes now, and to nobody else
    form.recipients.errors = [form.unsaved] if form.unsaved else []
    if form.errors:
        return form_page(draft, form, 422)
    try:
        address = address_for_test(draft.user)
        submit_test(row, address, current_app.config["SETTINGS"].mail_daily_limit)
    except TooMany as error:
        form.recipients.errors = [too_many_tests_message(error)]
        return form_page(draft, form, 429, {"Retry-After": str(error.seconds_left)})
    except OverQuota as error:
        form.form_errors = [error.words()]
        return over_quota.page(error, form_page(draft, form))
    except (MayNotMail, OverLimit) as error:
        form.recipients.errors = [over_limit_message(error) if isinstance(error, OverLimit) else str(error)]
        return form_page(draft, form, 422)
    flash(f"We’re sending a test to {address}.")
    return redirect(url_for("mail.show", **draft.url_args, _anchor="mail"), 303)
