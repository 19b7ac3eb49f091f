"""The blueprint of the task pages, and what they find by their URLs."""

from uuid import UUID

from flask import Blueprint, abort, flash, make_response, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from tasks.catalogue import CATALOGUE
from tasks.engine import TaskFunction
from webapp.models import Task
from webapp.web import htmx
from webapp.web.auth import require_sign_in, signed_in_user
from webapp.web.ownership import refuse
from webapp.web.routes.errors import http_error

bp = require_sign_in(Blueprint("tasks", __name__, url_prefix="/tasks"))


def find_task(task_id: UUID) -> Task:
    """This person's task. Aborts with 404 for anybody else's, and for an internal one."""
    return Task.find(signed_in_user(), task_id) or refuse(Task, task_id)


def find_function(name: str) -> TaskFunction:
    """A task function that has a form here. Aborts with 404."""
    function = CATALOGUE.get(name)
    return function if function and function.listed else abort(404)


@bp.errorhandler(404)
@bp.errorhandler(Task.DoesNotExist)  # type: ignore[attr-defined]
def task_gone(_: Exception) -> ResponseReturnValue:
    """For a page whose task was deleted elsewhere: a button says so, and a poll leads away from the page."""
    if not htmx.is_htmx():
        return http_error(NotFound())
    flash("That task no longer exists.")
    pressed, tasks = request.method == "POST", url_for("tasks.index")
    answer = make_response(htmx.respond(tasks)) if pressed else htmx.go_to(tasks)
    answer.status_code = 404
    return answer
