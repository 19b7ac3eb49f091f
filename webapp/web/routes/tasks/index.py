"""The list of a person's tasks, its filter, and actions on many of them at once."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tasks.engine.models import fair_queue
from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.bulk import MOST_AT_ONCE, BulkResult, press
from webapp.models import Artifact, Notification, Task
from webapp.models.counting import MOST_COUNTED, count_some
from webapp.models.notification_kinds import DELETED_TASK
from webapp.models.task_filter import MOST_SEARCHED
from webapp.web import htmx
from webapp.web.auth import signed_in_user
from webapp.web.forms.search import TaskFilterForm
from webapp.web.paging import Page, page_of_all
from webapp.web.polling import FocusFallback, conditional_fragment
from webapp.web.presenters.action_words import FINAL_ACTION
from webapp.web.presenters.bulk_result import bulk_result_message
from webapp.web.presenters.notifications import leads_to
from webapp.web.presenters.tray import TASK_LIST
from webapp.web.routes.tasks.blueprint import bp


@bp.get("")
def index() -> ResponseReturnValue:
    """This person's tasks that the filter lets through: unfinished ones first, then by their end, newest first."""
    return _index_page()


@leads_to(DELETED_TASK)
def _of_deleted_task(_: Notification) -> str:
    return url_for("tasks.index")


@bp.get("/_list")
def list_fragment() -> ResponseReturnValue:
    """The list, as the page includes it."""
    form = _filter_form()
    if form.errors:
        abort(400)
    return conditional_fragment(
        lambda: render_template("tasks/_list.html", **_list(form)), FocusFallback("task-list", "Tasks")
    )


@bp.post("/bulk")
def bulk() -> ResponseReturnValue:
    """Do one thing to the selected tasks, or to `all` that the filter in the URL lets through."""
    form, verb = _filter_form(), request.form.get("action", "")
    if verb not in OWNER_ACTIONS or form.errors:
        abort(400)
    result = _apply(verb, form)
    if result is None:
        return _index_page("Select at least one task first.")
    flash(bulk_result_message(verb, result))
    before = request.args.get("before") if verb != FINAL_ACTION else None
    return redirect(url_for("tasks.index", before=before, **form.arguments), 303)


def _apply(verb: str, form: TaskFilterForm) -> BulkResult | None:
    """What became of the tasks; None if none was selected."""
    if request.form.get("all"):
        return press(verb, form.filter.of(current_user))
    selected = set(request.form.getlist("task", type=UUID)[:MOST_AT_ONCE])
    if not selected:
        return None
    result = press(verb, Task.of(current_user).where(Task.id.in_(selected)))
    result.passed[None] += len(selected) - result.total  # deleted meanwhile
    return result


def _filter_form() -> TaskFilterForm:
    return TaskFilterForm(request.args, current_user.time_zone)


def _index_page(problem: str = "") -> ResponseReturnValue:
    """The page; with what is wrong with a press, or with the filter."""
    form = _filter_form()
    shown = render_template("tasks/index.html", page_shows=TASK_LIST, problem=problem, **_list(form))
    if problem or form.errors:
        return shown, 422
    return htmx.page_at(url_for("tasks.index", before=request.args.get("before"), **form.arguments), shown)


def _list(form: TaskFilterForm) -> dict[str, Any]:
    """What the list needs. It is empty if the filter is invalid."""
    before = request.args.get("before")
    tasks, count, older = Page([], None), 0, None
    if not form.errors:
        wanted = form.filter
        found, older = wanted.search(signed_in_user())
        tasks = page_of_all(found, before, by=wanted.order)
        is_all = not before and not tasks.next
        count = len(tasks.items) if is_all else count_some(*found)
    return {
        "tasks": tasks,
        "artifacts": Artifact.completed(tasks.items),
        "positions": fair_queue.positions(tasks.items),
        "before": before,
        "form": form,
        "count": count,
        "most": MOST_COUNTED,
        "earlier": url_for("tasks.index", **form.arguments | {"older": older.isoformat()}) if older else "",
        "searched": MOST_SEARCHED,
    }
