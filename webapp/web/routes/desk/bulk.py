"""One thing for many tasks at once: a page that says what it would do, and the press that begins it."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from tasks.act_on_tasks import act_on_tasks, start
from tasks.engine.models.row import TaskRow
from webapp.lib.i18n import number
from webapp.models import AlreadyRunning, Made, OverQuota
from webapp.models.audit import Audited
from webapp.models.permissions import Action, may
from webapp.models.steering import target_of
from webapp.web import over_quota
from webapp.web.auditing import accepted, audited, audited_action, refuse
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk_bulk import BulkForm
from webapp.web.idempotency import create_once, replay_response
from webapp.web.presenters.desk.bulk import BulkPlan, plan
from webapp.web.presenters.desk.bulk_outcomes import outcomes_of
from webapp.web.presenters.task_pages import TaskPage, register
from webapp.web.routes.desk.blueprint import bp

bp.add_app_template_global(outcomes_of, "bulk_outcomes")
register(act_on_tasks, TaskPage(panel="desk/bulk/outcomes.html"))
STARTED_ALREADY = "That has already begun."


@bp.get("/tasks/bulk")
def bulk() -> ResponseReturnValue:
    """What an action would do to which tasks. It changes nothing, so that its address can be sent to somebody."""
    return _page(_plan())


@bp.post("/tasks/bulk/confirmation")
@audited_action(Audited.START_BULK)
def start_bulk() -> ResponseReturnValue:
    """Begin it: a task of the operator's does it to the tasks as they are at this moment."""
    if answer := replay_response(STARTED_ALREADY):
        refuse("This form had begun it already.")
        return answer
    asked = _plan()
    form = BulkForm(asked.able)
    if asked.problem:
        refuse(asked.problem)
    if asked.problem or not accepted(form):
        return _page(asked, form), 422
    try:
        return _start(asked, form)
    except AlreadyRunning as error:
        return _page(asked, form, running=error.task), 422
    except OverQuota as error:
        form.form_errors.append(error.words())
        return over_quota.page(error, _page(asked, form))


def _start(asked: BulkPlan, form: BulkForm) -> ResponseReturnValue:
    reason = form.reason.data or ""
    with audited("", reason=reason) as entry:

        def begin() -> Made:
            task = start(signed_in_user(), asked.action, asked.snapshot, reason)
            entry.target, entry.count, entry.after = target_of(task), asked.able, asked.for_audit()
            return Made(url_for("tasks.show", task_id=task.id), _words(asked, form), task)

        entry.count = 0  # unless it is this press that begins it
        return create_once(begin, STARTED_ALREADY)


def _words(asked: BulkPlan, form: BulkForm) -> str:
    if asked.able == form.said:
        return f"Began: {asked.what}."
    return f"Began: {asked.what}. The page said {number(form.said)}; these are the tasks as they were at your press."


def _plan() -> BulkPlan:
    user = signed_in_user()
    return plan(
        request.form if request.method == "POST" else request.args,
        may_steer=may(user, Action.STEER),
        zone=user.time_zone,
    )


def _page(asked: BulkPlan, form: BulkForm | None = None, running: TaskRow | None = None) -> str:
    return render_template(
        "desk/bulk/show.html",
        asked=asked,
        form=form or BulkForm(asked.able),
        running=running,
        first=asked.first(),
        back=url_for("desk.tasks", **asked.query),
    )
