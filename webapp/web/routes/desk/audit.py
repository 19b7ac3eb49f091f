"""The audit: who did what at the desk, and its export."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from tasks.lib.csv_cells import csv_row
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, User
from webapp.models.audit_list import AT_ONCE, MOST_EXPORTED, MOST_LOOKED_THROUGH, AuditPart
from webapp.web.auth import signed_in_user
from webapp.web.downloads import download_as
from webapp.web.forms.audit import AuditFilterForm
from webapp.web.paging import page_number
from webapp.web.presenters.desk.audit_entries import EXPORTED, exported_cells, shown_entries
from webapp.web.routes.desk.blueprint import bp

PAGE_SIZE = 50


@bp.get("/audit")
def audit() -> ResponseReturnValue:
    """What was done and what was refused, the newest first, as far as the filter lets it through."""
    user = signed_in_user()
    form = AuditFilterForm(request.args, user.time_zone)
    part = AuditPart([], None) if form.errors else form.filter.part(PAGE_SIZE, page_number(request.args.get("before")))
    page = render_template(
        "desk/audit/index.html",
        form=form,
        entries=shown_entries(part.entries, user),
        below=part.below,
        searched=MOST_LOOKED_THROUGH if part.below and len(part.entries) < PAGE_SIZE else 0,
        most=MOST_EXPORTED,
        zone=user.time_zone,
    )
    return page, 422 if form.errors else 200


@bp.get("/audit.csv")
def audit_csv() -> ResponseReturnValue:
    """The same as a file, MOST_EXPORTED entries at most, in the memory of AT_ONCE of them. Times are UTC."""
    user = signed_in_user()
    form = AuditFilterForm(request.args, user.time_zone)
    if form.errors:
        abort(400)
    batches = form.filter.batches(AT_ONCE)
    first = next(batches, [])  # before the answer begins: a database that is away is told by its status
    response = Response(_lines(chain([first], batches), user), mimetype="text/csv")
    response.headers["Cache-Control"] = "private, no-store"
    download_as(response, f"audit-{utcnow():%Y-%m-%d}.csv")
    return response


def _lines(batches: Iterable[Sequence[AuditEntry]], reader: User) -> Iterator[str]:
    yield csv_row(*EXPORTED)
    for entries in batches:
        yield "".join(csv_row(*exported_cells(shown)) for shown in shown_entries(entries, reader))
