"""All that a move of a task may change."""

from webapp.models import Notification, Task, TaskEvent, User


def everything() -> tuple:
    """Every task, every line of a timeline, every notification, and everybody's counter of changes."""
    people = [(user.id, user.changes) for user in User.select().order_by(User.id)]
    return people, *(list(model.select().order_by(model.id).dicts()) for model in (Task, TaskEvent, Notification))


def row(task: Task) -> Task:
    """The task as the database has it; the one given keeps what it knew."""
    return Task.get_by_id(task.id)
