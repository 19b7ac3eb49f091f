"""The catalogue of task functions, and the form of each: previewing and starting a task."""

from functools import partial
from uuid import UUID

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from tasks.catalogue import CATALOGUE
from tasks.engine import InvalidArguments, TaskFunction
from tasks.engine.models.kind_control import KindControl
from webapp.lib.quota_variables import Quota
from webapp.models import OverQuota
from webapp.web import htmx, over_quota
from webapp.web.auth import signed_in_user
from webapp.web.forms.tasks import TaskForm, require_forms, task_form
from webapp.web.idempotency import create_once, replay_response
from webapp.web.presenters.held_kinds import held_by_name, held_words
from webapp.web.presenters.task_messages import STARTED_ALREADY
from webapp.web.presenters.task_preview import look
from webapp.web.routes.tasks.blueprint import bp, find_function, find_task
from webapp.web.routes.tasks.started import started

require_forms(CATALOGUE.values())  # a function that can have no form ends the start, not somebody's request


@bp.get("/new")
def catalogue() -> ResponseReturnValue:
    """Every task function that has a form here, and which of them operators hold. One query, for these."""
    listed, held = [f for f in CATALOGUE.values() if f.listed], held_by_name(signed_in_user().time_zone)
    return render_template("tasks/catalogue.html", functions=listed, held=held)


@bp.get("/new/<name>")
def new(name: str) -> ResponseReturnValue:
    """The form of a task function; with `?like=`, filled in as it was for an earlier task."""
    function = find_function(name)
    like = request.args.get("like", type=UUID)
    earlier = find_task(like) if like else None
    if earlier and earlier.name != name:
        abort(404)
    form = task_form(function, signed_in_user(), earlier)
    return _page(function, form, earlier=earlier)


@bp.post("/new/<name>")
def create(name: str) -> ResponseReturnValue:
    """Start a task, or show its form again with what is wrong, as its preview would."""
    function = find_function(name)
    if answer := replay_response(STARTED_ALREADY):
        return answer
    form = task_form(function, signed_in_user())
    if not _is_valid(function, form):
        return _page(function, form), 422
    launch = partial(function.launch, signed_in_user(), run_at=form.run_at.data, **form.arguments)
    try:
        return create_once(lambda: started(launch()), STARTED_ALREADY)
    except InvalidArguments as refused:  # what was theirs a moment ago
        for name, words in refused.errors.items():
            form.add_error(words, name)
    except OverQuota as error:
        files = next((each.name for each in function.parameters if each.is_file), "")
        form.add_error(error.words(), files if error.quota is Quota.STORAGE else "")
        return over_quota.page(error, _page(function, form))
    return _page(function, form), 422


@bp.post("/new/<name>/preview")
def preview(name: str) -> ResponseReturnValue:
    """Show what a task would do, below its form; without JavaScript, on the page of the form."""
    function = find_function(name)
    form = task_form(function, signed_in_user()) if function.preview else abort(404)
    form.validate_on_submit()
    seen, fault = (None, "") if form.argument_errors else look(function, form)
    wrong = form.argument_errors | ({"": fault} if fault else {})
    if htmx.is_htmx():  # which swaps no error
        return render_template("tasks/previewed.html", preview=seen, wrong=wrong)
    page = _page(function, form, preview=seen, wrong=wrong)
    return page, 422 if form.argument_errors else 200


def _page(function: TaskFunction, form: TaskForm, **more: object) -> str:
    """The form, and what operators have decided of such tasks. One query, for that."""
    held = held_words(KindControl.of(function.name), signed_in_user().time_zone)
    return render_template("tasks/new.html", function=function, form=form, held=held, **more)


def _is_valid(function: TaskFunction, form: TaskForm) -> bool:
    """Whether a task can be started by a form: what cannot be previewed cannot be done either."""
    if form.validate_on_submit():
        look(function, form)
    return not form.errors
