"""What people have reported, and what came of it. Of a message, nobody reads more than the copy that was reported."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.models import Report
from webapp.models.audit import Audited
from webapp.models.permissions import Action, may
from webapp.models.report import MOST_OPEN, AlreadyClosed, Verdict
from webapp.web.auditing import accepted, audited, audited_action
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk_reports import VERDICTS, VerdictForm
from webapp.web.paging import PAGE_SIZE, Page, page, page_upwards
from webapp.web.presenters.desk.kind_words import bounded
from webapp.web.presenters.desk.to_do import ToDo, tells_to_do
from webapp.web.routes.desk.blueprint import bp

CLOSED_BY_OTHER = "Somebody else has closed that report."


@tells_to_do
def _open_reports() -> ToDo | None:
    """How many nobody has handled, as far as they are counted. One query."""
    count = Report.count_open()
    words = f"{bounded(count, MOST_OPEN)} open {'report' if count == 1 else 'reports'}"
    return ToDo(words, url_for("desk.reports")) if count else None


@bp.get("/reports")
def reports() -> ResponseReturnValue:
    """The open ones, the oldest first; with `?show=closed` those that were handled. One query."""
    return _page()


@bp.post("/reports/<int:report_id>/closing")
@audited_action(Audited.CLOSE_REPORT)
def close_report(report_id: int) -> ResponseReturnValue:
    """Close one, and all of the same post or message, as the form says; that is deleted, if it says so."""
    report = Report.find(report_id) or abort(404)
    form = VerdictForm()
    if not accepted(form):
        return _page(), 422
    verdict = Verdict(form.verdict.data)
    try:
        with audited(f"report {report.id}", about=report.about_id) as entry:
            entry.count, entry.after = report.close(signed_in_user(), verdict), verdict.value
    except AlreadyClosed:
        return _page(CLOSED_BY_OTHER), 422
    flash({Verdict.DELETED: f"The {report.kind} is deleted, and the report is closed."}.get(verdict, "Report closed."))
    return redirect(url_for("desk.reports"), 303)


def _page(problem: str = "") -> str:
    is_closed, before = request.args.get("show") == "closed", request.args.get("before")
    return render_template(
        "desk/reports/index.html",
        reports=page(Report.closed_ones(), before, by="closed_at") if is_closed else _open_page(before),
        is_closed=is_closed,
        verdicts=VERDICTS,
        reads_messages=may(signed_in_user(), Action.STEER),
        problem=problem,
    )


def _open_page(before: str | None) -> Page:
    return page_upwards(Report.open_ones().order_by(), before, PAGE_SIZE)
