"""A test of a mail to whoever writes it, by the way that all of them go."""

from flask import current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tasks.send_mail import submit_test
from webapp import mail
from webapp.lib.i18n import estimate
from webapp.lib.times import utcnow
from webapp.mail.senders import own_address, refusal_for
from webapp.models import OverLimit, OverQuota, RateCount, User
from webapp.models.rate_count import Limit, TooMany
from webapp.web import over_quota
from webapp.web.forms.mail import MailForm
from webapp.web.routes.mail.blueprint import bp
from webapp.web.routes.mail.draft import Draft
from webapp.web.routes.mail.pages import form_page, over_limit_message

TESTS = Limit(10, 3600)
TOO_OFTEN = "You can send yourself {most} tests an hour. Try again in {when}."


class _CannotTest(Exception):
    """No test can be sent; its text says why."""


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
        address = _address_for_test(draft.user)
        submit_test(row, address, current_app.config["SETTINGS"].mail_daily_limit)
    except TooMany as error:
        form.recipients.errors = [TOO_OFTEN.format(most=TESTS.most, when=estimate(error.seconds_left))]
        return form_page(draft, form, 429, {"Retry-After": str(error.seconds_left)})
    except OverQuota as error:
        form.form_errors = [error.words()]
        return over_quota.page(error, form_page(draft, form))
    except (_CannotTest, OverLimit) as error:
        form.recipients.errors = [over_limit_message(error) if isinstance(error, OverLimit) else str(error)]
        return form_page(draft, form, 422)
    flash(f"We’re sending a test to {address}.")
    return redirect(url_for("mail.show", **draft.url_args, _anchor="mail"), 303)


def _address_for_test(user: User) -> str:
    """Their own address, once this test is counted. Raises _CannotTest and TooMany."""
    if not mail.is_configured():
        raise _CannotTest("This site has no mail server, so it can’t send email.")
    address = own_address(user)
    if not address:
        raise _CannotTest("To send yourself a test, first confirm an email address in Settings.")
    if (refusal := refusal_for(user, utcnow())) and refusal.is_about([address]):
        raise _CannotTest(str(refusal.words))
    RateCount.count([TESTS], "mail test", str(user.id))
    return address
