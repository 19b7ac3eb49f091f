"""What its owner may ask of one task."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tasks.catalogue import CATALOGUE
from webapp.models import Task
from webapp.web import htmx
from webapp.web.auth import signed_in_user
from webapp.web.idempotency import create_once, replay_response
from webapp.web.presenters.task_messages import STARTED_ALREADY, asked_message, deleted_message, refused_message
from webapp.web.presenters.tray import parse_page_shows, tray_for
from webapp.web.redirects import redirect_back
from webapp.web.routes.tasks.blueprint import bp, find_task
from webapp.web.routes.tasks.started import started


@bp.post("/<uuid:task_id>/cancellation")
def cancel(task_id: UUID) -> ResponseReturnValue:
    """Cancel a task with all its children, at once or at its next step."""
    return _ask(task_id, Task.cancel)


@bp.post("/<uuid:task_id>/pause")
def pause(task_id: UUID) -> ResponseReturnValue:
    """Pause a task, at once or at its next step."""
    return _ask(task_id, Task.pause)


@bp.post("/<uuid:task_id>/resumption")
def resume(task_id: UUID) -> ResponseReturnValue:
    """Resume a paused task."""
    return _ask(task_id, Task.resume)


@bp.post("/<uuid:task_id>/retry")
def retry(task_id: UUID) -> ResponseReturnValue:
    """Retry a task, or start now what was scheduled for later."""
    return _ask(task_id, Task.retry)


@bp.post("/<uuid:task_id>/undo")
def undo(task_id: UUID) -> ResponseReturnValue:
    """Undo what a finished task did, by another task."""
    task = find_task(task_id)
    function = CATALOGUE.get(task.name)
    if not (function and function.undo):
        abort(404)
    if answer := replay_response(STARTED_ALREADY):
        return answer
    if not function.undo.can_undo(task):
        flash(f"“{task.title_words()}” has nothing left to undo." if task.is_finished else refused_message(task))
        return htmx.respond(url_for("tasks.show", task_id=task.id))
    launch = partial(function.undo.launch, task, signed_in_user())
    return create_once(lambda: started(launch()), STARTED_ALREADY)


@bp.post("/<uuid:task_id>/dismissal")
def dismiss(task_id: UUID) -> ResponseReturnValue:
    """Close a finished task's alert."""
    task, on = find_task(task_id), request.args.get("on", "", type=parse_page_shows)
    following = tray_for(current_user, on).next_after(task) if htmx.is_htmx() else None
    task.dismiss()
    return htmx.respond(redirect_back(url_for("tasks.show", task_id=task_id)), closed=task, next=following, on=on)


@bp.post("/<uuid:task_id>/deletion")
def remove(task_id: UUID) -> ResponseReturnValue:
    """Delete a finished task with all that it made."""
    task = find_task(task_id)
    task.remove()
    return htmx.respond(url_for("tasks.index"), deleted_message(task))


def _ask(task_id: UUID, action: Callable[[Task], None]) -> ResponseReturnValue:
    task = find_task(task_id)
    action(task)
    return htmx.respond(redirect_back(url_for("tasks.show", task_id=task_id)), asked_message(task))
