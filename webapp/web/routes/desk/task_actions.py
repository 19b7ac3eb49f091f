"""What operators do to one task of somebody's: each with a reason, which its owner reads, and each in the audit."""

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from tasks.engine.models.observers import StartRefused
from webapp.models import AlreadyRunning, IllegalTransition, OverQuota, SecretsGone, Task
from webapp.models.audit import Audited
from webapp.models.steering import STEERING, OwnerSuspended, noted, target_of
from webapp.web.auditing import accepted, audited, audited_action
from webapp.web.forms.desk import ReasonForm
from webapp.web.forms.desk_tasks import PriorityForm
from webapp.web.presenters.action_words import ACTION_WORDS, FINAL_ACTION
from webapp.web.presenters.task_messages import asked_message, deleted_message, refused_message
from webapp.web.routes.desk.blueprint import bp
from webapp.web.routes.desk.task import find, show_once, task_page


def _view(action: str) -> Callable[..., ResponseReturnValue]:
    """The view of one of STEERING."""

    def act(task_id: UUID) -> ResponseReturnValue:
        task, form = find(task_id), ReasonForm()
        if not accepted(form):
            return task_page(task, 422, reason=form)
        return _steer(task, form, lambda: getattr(task, action)(), is_final=action == FINAL_ACTION)

    return act


for _action, _audited in STEERING.items():
    _url = f"/tasks/<uuid:task_id>/{ACTION_WORDS[_action].noun}"
    bp.post(_url, endpoint=f"task_{_action}")(audited_action(_audited)(_view(_action)))


@bp.post("/tasks/<uuid:task_id>/priority")
@audited_action(Audited.PRIORITIZE_TASK)
def task_priority(task_id: UUID) -> ResponseReturnValue:
    """Have it go before others, or after them."""
    task, form = find(task_id), PriorityForm()
    if not accepted(form):
        return task_page(task, 422, priority=form)
    return _steer(task, form, lambda: task.prioritize(form.priority.data), "Changed the priority of “{}”.")


@bp.post("/tasks/<uuid:task_id>/arguments")
@audited_action(Audited.SHOW_ARGUMENTS)
def show_arguments(task_id: UUID) -> ResponseReturnValue:
    """Show once what a task was given, without its secrets."""
    task = find(task_id)
    with audited(target_of(task), about=task.user_id):
        show_once(task)
    return redirect(url_for("desk.task", task_id=task.id, _anchor="arguments"), 303)


def _steer(
    task: Task, form: ReasonForm, act: Callable[[], None], words: str = "", *, is_final: bool = False
) -> ResponseReturnValue:
    """Do it, and lead back to the task, or from what is no more to the list; say what has happened, or why nothing."""
    title, reason, gone = task.title_words(), form.reason.data, url_for("desk.tasks")
    back = url_for("desk.task", task_id=task.id)
    try:
        with audited(target_of(task), about=task.user_id, reason=reason) as entry, noted(entry, task, reason):
            act()
    except Task.DoesNotExist:  # type: ignore[attr-defined]
        flash("That task no longer exists.")
        return redirect(gone, 303)
    except (IllegalTransition, AlreadyRunning, StartRefused) as error:
        flash(refusal(error))
        return redirect(back, 303)
    flash(deleted_message(task) if is_final else words.format(title) or asked_message(task))
    return redirect(gone if is_final else back, 303)


def refusal(error: Exception) -> str:
    """Why nothing was done, as an operator reads it."""
    if isinstance(error, OwnerSuspended):
        return "Nothing changed: its owner is suspended. It goes on once they’re reinstated."
    if isinstance(error, SecretsGone):
        return "Nothing changed: its secrets were deleted when it ended. Only its owner can start it again."
    if isinstance(error, AlreadyRunning):
        return "Nothing changed: its owner has another one like it that hasn’t finished."
    if isinstance(error, OverQuota):
        return "Nothing changed: its owner has reached a limit."
    return refused_message(error.task) if isinstance(error, IllegalTransition) else f"Nothing changed: {error}"
