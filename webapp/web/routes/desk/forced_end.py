"""The end of a task by force, for one whose step never ends."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from tasks.engine.models.forced_ending import AlreadyForced
from webapp.models import IllegalTransition, Task
from webapp.models.audit import Audited
from webapp.web.auditing import accepted, audited, audited_action
from webapp.web.forms.desk import ReasonForm
from webapp.web.routes.desk.blueprint import bp


@bp.get("/tasks/<uuid:task_id>/forced-end")
def forced_end(task_id: UUID) -> ResponseReturnValue:
    """What that does, and the form that asks for the reason."""
    return _page(_find(task_id), ReasonForm(formdata=None))


@bp.post("/tasks/<uuid:task_id>/forced-end")
@audited_action(Audited.FORCE_END_TASK)
def force_end(task_id: UUID) -> ResponseReturnValue:
    """Have the process killed that runs it. Its owner reads the reason."""
    task, form = _find(task_id), ReasonForm()
    if not accepted(form):
        return _page(task, form), 422
    try:
        with audited(f"task {task_id}", about=task.user_id, reason=form.reason.data):
            task.force_end(form.reason.data)
    except AlreadyForced:
        flash("It’s being ended already.")
    except IllegalTransition:
        flash("No worker has it anymore, so there’s nothing to end by force.")
    else:
        flash("Its process is being killed. The task ends as canceled within seconds.")
    return redirect(url_for("desk.task", task_id=task.id), 303)


def _find(task_id: UUID) -> Task:
    """The task of an id, also one that its owner does not see, or 404. One query."""
    return next(iter(Task.by_ids([task_id])), None) or abort(404)


def _page(task: Task, form: ReasonForm) -> str:
    return render_template("desk/tasks/forced_end.html", task=task, form=form)
