"""What its owner may ask of one task."""

from collections.abc import Callable, Mapping
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
from webapp.web.presenters.action_words import ACTION_WORDS
from webapp.web.presenters.task_messages import STARTED_ALREADY, asked_message, deleted_message, refused_message
from webapp.web.presenters.tray import parse_page_shows, tray_for
from webapp.web.redirects import redirect_back
from webapp.web.routes.tasks.blueprint import bp, find_task
from webapp.web.routes.tasks.started import started


def _ask(task: Task, action: str) -> ResponseReturnValue:
    """Ask for an action, and say what it has made of the task."""
    getattr(task, action)()
    return htmx.respond(redirect_back(url_for("tasks.show", task_id=task.id)), asked_message(task))


def _dismiss(task: Task, _: str) -> ResponseReturnValue:
    """Close its alert, and lead on to the next."""
    on = request.args.get("on", "", type=parse_page_shows)
    following = tray_for(current_user, on).next_after(task) if htmx.is_htmx() else None
    task.dismiss()
    return htmx.respond(redirect_back(url_for("tasks.show", task_id=task.id)), closed=task, next=following, on=on)


def _remove(task: Task, _: str) -> ResponseReturnValue:
    """Delete it with all that it made, and leave its page."""
    task.remove()
    return htmx.respond(url_for("tasks.index"), deleted_message(task))


# What answers an action; `_ask`, unless it leads elsewhere than back to the task.
_ANSWERS: Mapping[str, Callable[[Task, str], ResponseReturnValue]] = {"dismiss": _dismiss, "remove": _remove}


def act(task_id: UUID, action: str) -> ResponseReturnValue:
    """Do what its owner asks of a task. Each of ACTION_WORDS has a URL, which ends in its noun, and an endpoint."""
    return _ANSWERS.get(action, _ask)(find_task(task_id), action)


for _action, _words in ACTION_WORDS.items():
    bp.post(f"/<uuid:task_id>/{_words.noun}", endpoint=_action, defaults={"action": _action})(act)


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
