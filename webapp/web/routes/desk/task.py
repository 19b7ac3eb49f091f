"""One task of somebody's: what it is, what became of it, and what operators did to it."""

import time
from typing import Any, Final
from uuid import UUID

from flask import abort, make_response, render_template, request, session
from flask.typing import ResponseReturnValue

from webapp.models import Task
from webapp.models.desk_task import audited, find_any
from webapp.models.permissions import Action, may
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk import ReasonForm
from webapp.web.forms.desk_tasks import PriorityForm
from webapp.web.polling import conditional_public_fragment
from webapp.web.presenters.desk.audit_entries import shown_entries
from webapp.web.presenters.desk.task_facts import desk_task, shown_arguments
from webapp.web.routes.desk.blueprint import bp
from webapp.web.routes.desk.tasks import version_of

_SHOWN: Final = "_arguments"  # in the session: of which task they are shown once, and when that was asked for
_HOLDS: Final = 60  # seconds


@bp.get("/tasks/<uuid:task_id>")
def task(task_id: UUID) -> ResponseReturnValue:
    """A task of anybody's, an internal one too; 404 for none. At most eleven queries, and one more for a bulk action.

    Its arguments are there once for who has just asked to see them; that answer is not to be kept.
    """
    return task_page(find(task_id))


@bp.get("/tasks/<uuid:task_id>/_panel")
def task_fragment(task_id: UUID) -> ResponseReturnValue:
    """What of the page changes; its version is the very content."""
    content = render_template("desk/tasks/_panel.html", shown=desk_task(find(task_id), signed_in_user()))
    return conditional_public_fragment(version_of([content]), lambda: content)


def find(task_id: UUID) -> Task:
    """The task of an id, whosoever it is; aborts with 404. One query."""
    return find_any(task_id) or abort(404)


def task_page(found: Task, status: int = 200, **forms: Any) -> ResponseReturnValue:
    """The page; with a form that was wrong in place of an empty one."""
    user = signed_in_user()
    arguments = _arguments_once(found)
    empty = {"reason": ReasonForm(formdata=None), "priority": PriorityForm(formdata=None, priority=found.priority)}
    shown = desk_task(found, user)
    entries = shown_entries(audited(found), user)
    page = render_template("desk/tasks/show.html", shown=shown, arguments=arguments, entries=entries, **empty | forms)
    answer = make_response(page, status)
    if arguments is not None:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def show_once(found: Task) -> None:
    """Let the next request of this browser for the page of a task see its arguments, if it comes soon."""
    session[_SHOWN] = [str(found.id), int(time.time())]


def _arguments_once(found: Task) -> dict[str, str] | None:
    if request.method != "GET" or _SHOWN not in session:
        return None
    task_id, asked_at = session.pop(_SHOWN)
    is_asked = task_id == str(found.id) and 0 <= time.time() - asked_at <= _HOLDS
    return shown_arguments(found) if is_asked and may(signed_in_user(), Action.STEER) else None
