"""Tasks: the catalogue, starting one, watching it, canceling and dismissing it."""

from collections.abc import Callable
from itertools import chain
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from peewee import DoesNotExist
from werkzeug.exceptions import NotFound

from tasks.catalogue import CATALOGUE
from tasks.engine import TaskFunction
from webapp import htmx
from webapp.forms import TaskForm, task_form, task_form_class
from webapp.live import ON_TASK_LIST
from webapp.models import Artifact, Task, family, line
from webapp.navigation import back
from webapp.paging import page
from webapp.polls import if_changed
from webapp.routes.errors import http_error

bp = Blueprint("tasks", __name__, url_prefix="/tasks")

for function in CATALOGUE.values():
    task_form_class(function)  # a function that can have no form ends the start, not somebody's request


@bp.before_request
@login_required
def _signed_in_only() -> None:
    """Every page of this blueprint belongs to somebody."""


@bp.errorhandler(404)
@bp.errorhandler(DoesNotExist)
def gone(_: Exception) -> ResponseReturnValue:
    """A page that shows what was deleted elsewhere: its buttons say so, and its polls lead away from it."""
    if not htmx.is_htmx():
        return http_error(NotFound())
    flash("That task is not there any more.")
    pressed, tasks = request.method == "POST", url_for("tasks.index")
    answer = make_response(htmx.answer(tasks)) if pressed else htmx.go_to(tasks)
    answer.status_code = 404
    return answer


@bp.get("")
def index() -> ResponseReturnValue:
    """All that this person started, newest first."""
    return render_template("tasks/index.html", live_on=ON_TASK_LIST, **_list())


@bp.get("/_list")
def list_fragment() -> ResponseReturnValue:
    """The list alone, as the page includes it."""
    return if_changed(lambda: render_template("tasks/_list.html", **_list()))


@bp.get("/new")
def catalogue() -> ResponseReturnValue:
    """Every kind of task that has a form of its own here."""
    return render_template("tasks/catalogue.html", functions=[f for f in CATALOGUE.values() if f.listed])


@bp.get("/new/<name>")
def new(name: str) -> ResponseReturnValue:
    """The form of one kind of task."""
    function = _find_function(name)
    return render_template("tasks/new.html", function=function, form=_form(function))


@bp.post("/new/<name>")
def create(name: str) -> ResponseReturnValue:
    """Start a task, or show its form again with what is wrong."""
    function = _find_function(name)
    form = _form(function)
    if not form.validate_on_submit():
        return render_template("tasks/new.html", function=function, form=form), 422
    task = function.launch(current_user._get_current_object(), run_at=form.run_at.data, **form.arguments)
    return htmx.answer(url_for("tasks.show", task_id=task.id), f"{task.title}: {task.state.words}.")


@bp.get("/<uuid:task_id>")
def show(task_id: UUID) -> ResponseReturnValue:
    """One task with its timeline and what it made."""
    return render_template("tasks/show.html", live_on=str(task_id), **_panel(task_id))


@bp.get("/<uuid:task_id>/_panel")
def panel_fragment(task_id: UUID) -> ResponseReturnValue:
    """The task alone, as its page includes it."""
    return if_changed(lambda: render_template("tasks/_panel.html", **_panel(task_id)))


@bp.post("/<uuid:task_id>/cancellation")
def cancel(task_id: UUID) -> ResponseReturnValue:
    """Ask a task to stop, with all its parts."""
    return _ask(task_id, Task.cancel)


@bp.post("/<uuid:task_id>/pause")
def pause(task_id: UUID) -> ResponseReturnValue:
    """Ask a task to pause."""
    return _ask(task_id, Task.pause)


@bp.post("/<uuid:task_id>/resumption")
def resume(task_id: UUID) -> ResponseReturnValue:
    """Let a paused task go on."""
    return _ask(task_id, Task.resume)


@bp.post("/<uuid:task_id>/retry")
def retry(task_id: UUID) -> ResponseReturnValue:
    """Try a task again, or now what was for later."""
    return _ask(task_id, Task.retry)


@bp.post("/<uuid:task_id>/dismissal")
def dismiss(task_id: UUID) -> ResponseReturnValue:
    """Close a finished task's alert."""
    _find(task_id).dismiss()
    return htmx.answer(back(url_for("tasks.show", task_id=task_id)))


@bp.post("/<uuid:task_id>/deletion")
def remove(task_id: UUID) -> ResponseReturnValue:
    """Delete a finished task with all that it made."""
    task = _find(task_id)
    task.remove()
    return htmx.answer(url_for("tasks.index"), f"{task.title}: deleted.")


def _ask(task_id: UUID, request: Callable[[Task], None]) -> ResponseReturnValue:
    task = _find(task_id)
    request(task)
    return htmx.answer(back(url_for("tasks.show", task_id=task_id)), f"{task.title}: {task.state.words}.")


def _find(task_id: UUID) -> Task:
    """This person's task; somebody else's does not exist."""
    return Task.get_or_none(Task.id == task_id, Task.user == current_user.id) or abort(404)


def _form(function: TaskFunction) -> TaskForm:
    return task_form(function, current_user.time_zone)


def _find_function(name: str) -> TaskFunction:
    function = CATALOGUE.get(name)
    return function if function and function.listed else abort(404)


def _panel(task_id: UUID) -> dict[str, Any]:
    task = _find(task_id)
    tree = family.tree(task)
    return {
        "task": task, "artifacts": Artifact.completed([task])[task], "events": list(task.timeline()),
        "places": line.places([task, *chain.from_iterable(tree.values())]), "tree": tree,
    }  # fmt: skip


def _list() -> dict[str, Any]:
    before = request.args.get("before")
    tasks = page(Task.of(current_user), before)
    artifacts, places = Artifact.completed(tasks.items), line.places(tasks.items)
    return {"tasks": tasks, "artifacts": artifacts, "places": places, "before": before}
