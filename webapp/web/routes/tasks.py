"""Tasks: the catalogue, starting one, watching it, canceling and dismissing it."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from werkzeug.exceptions import NotFound

from tasks.catalogue import CATALOGUE
from tasks.engine import TaskFunction
from webapp.models import Artifact, Made, Notice, Task, TaskEvent
from webapp.models.task import fair_queue, workflow
from webapp.models.task.bulk import MOST_AT_ONCE, VERBS, press
from webapp.models.task.filter import MOST_COUNTED
from webapp.web import htmx
from webapp.web.forms.forms import TaskForm, task_form, task_form_class
from webapp.web.forms.search import TaskFilterForm
from webapp.web.idempotency import sent_before, write_once
from webapp.web.paging import Page, page
from webapp.web.polling import Heir, if_changed
from webapp.web.presenters.bulk_result import outcome_words
from webapp.web.presenters.task_messages import asked_words, deleted_words, refused_words, started_words
from webapp.web.presenters.task_preview import look
from webapp.web.presenters.tray import ON_TASK_LIST, live_of, place, task_card
from webapp.web.redirects import redirect_back
from webapp.web.routes.errors import http_error

bp = Blueprint("tasks", __name__, url_prefix="/tasks")

STARTED_ALREADY = "You already sent that form. Here’s the task it started."

for function in CATALOGUE.values():
    task_form_class(function)  # a function that can have no form ends the start, not somebody's request


@bp.before_request
@login_required
def _signed_in_only() -> None:
    """Every page of this blueprint belongs to somebody."""


@bp.errorhandler(404)
@bp.errorhandler(Task.DoesNotExist)  # type: ignore[attr-defined]
def gone(_: Exception) -> ResponseReturnValue:
    """A page that shows what was deleted elsewhere: its buttons say so, and its polls lead away from it."""
    if not htmx.is_htmx():
        return http_error(NotFound())
    flash("That task no longer exists.")
    pressed, tasks = request.method == "POST", url_for("tasks.index")
    answer = make_response(htmx.answer(tasks)) if pressed else htmx.go_to(tasks)
    answer.status_code = 404
    return answer


@bp.get("")
def index() -> ResponseReturnValue:
    """All that this person started and the filter lets through, newest first; what has ended, by its end."""
    return _index()


@bp.get("/_list")
def list_fragment() -> ResponseReturnValue:
    """The list alone, as the page includes it."""
    form = _filter()
    if form.errors:
        abort(400)
    return if_changed(lambda: render_template("tasks/_list.html", **_list(form)), Heir("task-list", "Tasks"))


@bp.post("/bulk")
def bulk() -> ResponseReturnValue:
    """Do one thing to the tasks that are checked, or to `all` that the filter of the address lets through."""
    form, verb = _filter(), request.form.get("action")
    if verb not in VERBS or form.errors:
        abort(400)
    chosen = set(request.form.getlist("task", type=UUID)[:MOST_AT_ONCE])
    if request.form.get("all"):
        outcome = press(verb, form.filter.of(current_user))
    elif chosen:
        outcome = press(verb, Task.of(current_user).where(Task.id.in_(chosen)))
        outcome.passed[None] += len(chosen) - outcome.total  # deleted meanwhile
    else:
        return _index("Select at least one task first.")
    flash(outcome_words(verb, outcome))
    before = request.args.get("before") if verb != "remove" else None
    return redirect(url_for("tasks.index", before=before, **form.arguments), 303)


@bp.get("/new")
def catalogue() -> ResponseReturnValue:
    """Every kind of task that has a form of its own here."""
    return render_template("tasks/catalogue.html", functions=[f for f in CATALOGUE.values() if f.listed])


@bp.get("/new/<name>")
def new(name: str) -> ResponseReturnValue:
    """The form of one kind of task; with `?like=`, filled in as it was for an earlier one."""
    function = _find_function(name)
    like = request.args.get("like", type=UUID)
    earlier = _find(like) if like else None
    if earlier and earlier.name != name:
        abort(404)
    form = task_form(function, current_user.time_zone, earlier)
    return render_template("tasks/new.html", function=function, form=form, earlier=earlier)


@bp.post("/new/<name>")
def create(name: str) -> ResponseReturnValue:
    """Start a task, or show its form again with what is wrong: what cannot be looked at cannot be done either."""
    function = _find_function(name)
    if answer := sent_before(STARTED_ALREADY):
        return answer
    form = _form(function)
    if not form.validate_on_submit():
        return render_template("tasks/new.html", function=function, form=form), 422
    look(function, form)
    if form.errors:
        return render_template("tasks/new.html", function=function, form=form), 422
    launch = partial(function.launch, current_user._get_current_object(), run_at=form.run_at.data, **form.arguments)
    return write_once(lambda: _started(launch()), STARTED_ALREADY)


@bp.post("/new/<name>/preview")
def preview(name: str) -> ResponseReturnValue:
    """Show what a task would do, below its form; without JavaScript, below the form anew."""
    function = _find_function(name)
    form = _form(function) if function.preview else abort(404)
    form.validate_on_submit()
    seen, fault = (None, "") if form.wrong else look(function, form)
    wrong = form.wrong | ({"": fault} if fault else {})
    if htmx.is_htmx():
        return render_template("tasks/previewed.html", preview=seen, wrong=wrong)  # htmx swaps no error
    page = render_template("tasks/new.html", function=function, form=form, preview=seen, wrong=wrong)
    return page, 422 if form.wrong else 200


@bp.get("/<uuid:task_id>")
def show(task_id: UUID) -> ResponseReturnValue:
    """One task with its timeline and what it made. What was told of it is read by what the page then sends."""
    found = _panel(task_id)
    unread = Notice.is_unread(current_user, task_id)
    return render_template("tasks/show.html", live_on=str(task_id), unread=unread, **found)


@bp.get("/<uuid:task_id>/_panel")
def panel_fragment(task_id: UUID) -> ResponseReturnValue:
    """The task alone, as its page includes it."""
    return if_changed(lambda: render_template("tasks/_panel.html", **_panel(task_id)))


@bp.get("/<uuid:task_id>/_card")
def card_fragment(task_id: UUID) -> ResponseReturnValue:
    """The task in short, as any page includes it."""
    return if_changed(lambda: render_template("tasks/_card.html", **task_card(_find(task_id))))


@bp.post("/<uuid:task_id>/reading")
def read(task_id: UUID) -> ResponseReturnValue:
    """Mark what was told of a task as read: what its page does when it is opened."""
    task = _find(task_id)
    Notice.read(current_user._get_current_object(), Notice.task == task)
    return htmx.answer(url_for("tasks.show", task_id=task.id))


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


@bp.post("/<uuid:task_id>/undo")
def undo(task_id: UUID) -> ResponseReturnValue:
    """Take back what a finished task did, by another task."""
    task = _find(task_id)
    function = CATALOGUE.get(task.name)
    if not (function and function.undo):
        abort(404)
    if answer := sent_before(STARTED_ALREADY):
        return answer
    if not function.undo.can_undo(task):
        flash(f"“{task.title}” has nothing left to undo." if task.is_finished else refused_words(task))
        return htmx.answer(url_for("tasks.show", task_id=task.id))
    undo = partial(function.undo.launch, task, current_user._get_current_object())
    return write_once(lambda: _started(undo()), STARTED_ALREADY)


@bp.post("/<uuid:task_id>/dismissal")
def dismiss(task_id: UUID) -> ResponseReturnValue:
    """Close a finished task's alert."""
    task, on = _find(task_id), request.args.get("on", "", type=place)
    following = live_of(current_user, on).next_to(task) if htmx.is_htmx() else None
    task.dismiss()
    return htmx.answer(redirect_back(url_for("tasks.show", task_id=task_id)), closed=task, next=following, on=on)


@bp.post("/<uuid:task_id>/deletion")
def remove(task_id: UUID) -> ResponseReturnValue:
    """Delete a finished task with all that it made."""
    task = _find(task_id)
    task.remove()
    return htmx.answer(url_for("tasks.index"), deleted_words(task))


def _started(task: Task) -> Made:
    return Made(url_for("tasks.show", task_id=task.id), started_words(task), task)


def _ask(task_id: UUID, request: Callable[[Task], None]) -> ResponseReturnValue:
    task = _find(task_id)
    request(task)
    return htmx.answer(redirect_back(url_for("tasks.show", task_id=task_id)), asked_words(task))


def _find(task_id: UUID) -> Task:
    """This person's task; somebody else's does not exist, nor one that is quiet."""
    return Task.get_or_none(Task.id == task_id, Task.user == current_user.id, ~Task.hidden) or abort(404)


def _form(function: TaskFunction) -> TaskForm:
    return task_form(function, current_user.time_zone)


def _find_function(name: str) -> TaskFunction:
    function = CATALOGUE.get(name)
    return function if function and function.listed else abort(404)


def _panel(task_id: UUID) -> dict[str, Any]:
    task = _find(task_id)
    tree = workflow.tree(task)
    function = CATALOGUE.get(task.name)
    again = task.is_finished and function is not None and function.listed and bool(function.parameters)
    undo = function.undo if function and function.undo and function.undo.can_undo(task) else None
    events = list(task.timeline())
    return {
        "task": task,
        "artifacts": Artifact.completed([task])[task],
        "events": events,
        "linked": _linked(events),
        "places": fair_queue.positions([task, *chain.from_iterable(tree.values())]),
        "tree": tree,
        "again": again,
        "undo": undo,
        "undoing": undo and undo.under_way(task),
    }


def _linked(events: list[TaskEvent]) -> set[UUID]:
    """The tasks that a timeline leads to and that are still there. No query where it leads to none."""
    ids = {event.link for event in events if event.link}
    return {task.id for task in Task.of(current_user).select(Task.id).where(Task.id.in_(ids))} if ids else set()


def _filter() -> TaskFilterForm:
    return TaskFilterForm(request.args, current_user.time_zone)


def _index(problem: str = "") -> ResponseReturnValue:
    """The page; with words about what is wrong with a press, or with the filter."""
    form = _filter()
    shown = render_template("tasks/index.html", live_on=ON_TASK_LIST, problem=problem, **_list(form))
    if problem or form.errors:
        return shown, 422
    return htmx.at(url_for("tasks.index", before=request.args.get("before"), **form.arguments), shown)


def _list(form: TaskFilterForm) -> dict[str, Any]:
    before = request.args.get("before")
    tasks, count = Page([], None), 0
    if not form.errors:
        tasks = page(form.filter.of(current_user), before, by=form.filter.order)
        count = form.filter.count(current_user)
    return {
        "tasks": tasks,
        "artifacts": Artifact.completed(tasks.items),
        "places": fair_queue.positions(tasks.items),
        "before": before,
        "form": form,
        "count": count,
        "most": MOST_COUNTED,
    }
