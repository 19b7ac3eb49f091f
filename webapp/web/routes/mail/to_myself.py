"""A test of a mail to whoever writes it, by the way that all of them go."""

from flask import current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tasks.send_mail import submit_test
from webapp import mail
from webapp.lib.i18n import estimate
from webapp.lib.times import utcnow
from webapp.mail.senders import own_address, refusal_for
from webapp.models import OverLimit, RateCount, User
from webapp.models.rate_count import Limit, TooMany
from webapp.web.forms.mail import MailForm
from webapp.web.routes.mail.blueprint import bp
from webapp.web.routes.mail.draft import Draft
from webapp.web.routes.mail.pages import form_page, over_limit_message

TESTS = Limit(10, 3600)


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
    form.recipients.errors = form.send_at.errors = []  # a test goes now, and to nobody else
    if form.errors:
        return form_page(draft, form, 422)
    try:
        address = _address_for_test(draft.user)
        submit_test(row, address, current_app.config["SETTINGS"].mail_daily_limit)
    except (_CannotTest, OverLimit) as error:
        form.recipients.errors = [over_limit_message(error) if isinstance(error, OverLimit) else str(error)]
        return form_page(draft, form, 422)
    flash(f"We’re sending a test to {address}.")
    return redirect(url_for("mail.show", **draft.url_args, _anchor="mail"), 303)


def _address_for_test(user: User) -> str:
    """Their own address, once this test is counted. Raises _CannotTest."""
    if not mail.is_configured():
        raise _CannotTest("This site has no mail server, so it can’t send email.")
    address = own_address(user)
    if not address:
        raise _CannotTest("To send yourself a test, first confirm an email address in Settings.")
    if (refusal := refusal_for(user, utcnow())) and refusal.is_about([address]):
        raise _CannotTest(str(refusal.words))
    try:
        RateCount.count([TESTS], "mail test", str(user.id))
    except TooMany as error:
        left = estimate(error.seconds_left)
        raise _CannotTest(f"You can send yourself {TESTS.most} tests an hour. Try again in {left}.") from None
    return address
