"""One task: its page, and the fragments of it that poll themselves."""

from itertools import chain
from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tasks.catalogue import CATALOGUE
from tasks.engine.models import fair_queue, workflow
from webapp.models import Artifact, Notification, Task, TaskEvent
from webapp.web import htmx
from webapp.web.auth import signed_in_user
from webapp.web.polling import conditional_fragment
from webapp.web.presenters.tray import task_card
from webapp.web.routes.tasks.blueprint import bp, find_task


@bp.get("/<uuid:task_id>")
def show(task_id: UUID) -> ResponseReturnValue:
    """One task with its timeline and artifacts. A request of the page marks its notification as read."""
    panel = _panel(task_id)
    unread = Notification.is_any_unread(current_user, Notification.about(task_id))
    return render_template("tasks/show.html", page_shows=str(task_id), unread=unread, **panel)


@bp.get("/<uuid:task_id>/_panel")
def panel_fragment(task_id: UUID) -> ResponseReturnValue:
    """The task, as its page includes it."""
    return conditional_fragment(lambda: render_template("tasks/_panel.html", **_panel(task_id)))


@bp.get("/<uuid:task_id>/_card")
def card_fragment(task_id: UUID) -> ResponseReturnValue:
    """The task in short, as any page may include it."""
    return conditional_fragment(lambda: render_template("tasks/_card.html", **task_card(find_task(task_id))))


@bp.post("/<uuid:task_id>/reading")
def read(task_id: UUID) -> ResponseReturnValue:
    """Mark the notification about a task as read: its page does so when it is opened."""
    task = find_task(task_id)
    Notification.read(signed_in_user(), Notification.about(task.id))
    return htmx.respond(url_for("tasks.show", task_id=task.id))


def _panel(task_id: UUID) -> dict[str, Any]:
    """What the panel needs. A few queries, however many children the task has."""
    task = find_task(task_id)
    tree = workflow.tree(task)
    function = CATALOGUE.get(task.name)
    undo = function.undo if function and function.undo and function.undo.can_undo(task) else None
    events = TaskEvent.of(task.id)
    return {
        "task": task,
        "artifacts": Artifact.completed([task])[task],
        "events": events,
        "linked": _linked(events),
        "positions": fair_queue.positions([task, *chain.from_iterable(tree.values())]),
        "tree": tree,
        "again": task.is_finished and function is not None and function.listed and bool(function.parameters),
        "undo": undo,
        "undoing": undo and undo.under_way(task),
    }


def _linked(events: list[TaskEvent]) -> set[UUID]:
    """The tasks that a timeline links to and that still exist. No query where it links to none."""
    ids = {event.link for event in events if event.link}
    return {task.id for task in Task.of(current_user).select(Task.id).where(Task.id.in_(ids))} if ids else set()
