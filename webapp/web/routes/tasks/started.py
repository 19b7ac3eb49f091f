"""The outcome of a form that starts a task."""

from flask import url_for

from webapp.models import Made, Task
from webapp.web.presenters.task_messages import started_message


def started(task: Task) -> Made:
    """Leads to the page of the task."""
    return Made(url_for("tasks.show", task_id=task.id), started_message(task), task)
