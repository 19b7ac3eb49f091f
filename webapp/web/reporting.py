"""Reporting: what is the same for all that can be reported."""

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue

from webapp.models import Message, OverQuota, Post, Report
from webapp.models.report import AlreadyReported, Reason
from webapp.web import over_quota
from webapp.web.auth import signed_in_user
from webapp.web.forms.reports import ReportForm
from webapp.web.security_log import Event, record

REPORTED = "Thanks. Your report is with the people who look after this site."
REPORTED_ALREADY = "You reported this already."


def show(subject: Post | Message, back: str, action: str, form: ReportForm | None = None) -> str:
    """The page with the form for a report; without the form, if they have reported it already."""
    shown = {"subject": subject, "noun": type(subject).__name__.lower(), "back": back, "action": action}
    is_reported = Report.is_open(signed_in_user(), subject)
    return render_template("reports/new.html", form=form or ReportForm(formdata=None), is_reported=is_reported, **shown)


def create(subject: Post | Message, back: str, action: str) -> ResponseReturnValue:
    """Keep a report and lead back to what it is about; or show the form again with what is wrong with it.

    A report that comes twice is one: the second is told so.
    """
    user, form = signed_in_user(), ReportForm()
    if not form.validate_on_submit():
        return show(subject, back, action, form), 422
    try:
        report = Report.file(user, subject, Reason(form.reason.data), form.words.data or "")
    except AlreadyReported:
        flash(REPORTED_ALREADY)
    except OverQuota as error:
        form.form_errors = [error.words()]
        return over_quota.page(error, show(subject, back, action, form))
    else:
        record(Event.REPORTED, user, kind=report.kind, report_id=report.id, about_id=report.about_id)
        flash(REPORTED)
    return redirect(back, 303)
