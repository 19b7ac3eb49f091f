"""What the owner of a task hears of it: the record that live pages read, the notification, the email."""

from tasks.engine.models.observers import on_change, on_finish, on_refresh, on_removal
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from webapp.models.notice import Notice
from webapp.models.notification import TASK_PROGRESS, Notification
from webapp.models.notification_preferences import NoticeKind
from webapp.models.outcome_mail import OutcomeMail
from webapp.models.user import User


def notice_kind(task: TaskRow) -> NoticeKind:
    """What a notification or an email about the end of a task is about."""
    is_mail = task.name == "send_mail" and task.state == State.SUCCEEDED
    return NoticeKind.MAIL if is_mail else NoticeKind(task.state)


@on_change
def record_progress(task: TaskRow) -> None:
    """Keep the task's own record up to date. The news of a child come with those of its workflow."""
    if task.is_shown:
        payload = {"state": task.state, "done": task.done, "total": task.total}
        Notification.put(task.user_id, TASK_PROGRESS, payload, task.id)


@on_finish
def notify_of_end(task: TaskRow) -> None:
    """Put the end of a task into the notification center, and let it be emailed, as its owner prefers.

    Nothing about what they canceled, nor about each child of a workflow.
    """
    if task.is_shown and task.state != State.CANCELED:
        kind, owner = notice_kind(task), User.listening(task.user_id)
        sent = f" was sent{f': {task.result}' if task.result else ''}"
        outcomes = {NoticeKind.FAILED: f": {task.error_words()}", NoticeKind.MAIL: sent}
        Notice.put(owner, kind, f"{task.title_words()}{outcomes.get(kind, ' finished')}", task_id=task.id)
        OutcomeMail.put(owner, task, kind)


@on_refresh
def count_change(user_id: int) -> None:
    """Let their open pages look again."""
    User.count_change(user_id)


@on_removal
def hold_owner(task: TaskRow) -> None:
    """What goes with a task may be its owner's: notices, mails. Tasks are locked before people."""
    User.hold(task.user_id)
